// What the torture's reading loop costs, against the shortest loop that reads the same and counts the same.
//
// Both sides call liburcu out of line. The torture goes through the ops table; the direct loop calls the
// flavour.
#include <benchmark/benchmark.h>
#include <urcu/urcu-mb.h>
#include <urcu/urcu-memb.h>

#include "torture/flavors/registry.hpp"
#include "torture/threads/visitor.hpp"

namespace torture {
namespace {

/// A registered thread of one flavour, for as long as a benchmark runs.
struct Bench {
  explicit Bench(const char* name)
      : ops(*find_flavor(name).ops), domain(ops.create()), ctx(ops.thread_register(domain)) {}
  ~Bench() { ops.thread_unregister(domain, ctx); }
  const Ops& ops;
  void* domain;
  void* ctx;
  Station station{Shape::of("pointer"), 1, 0};
};

void torture_read(benchmark::State& state, const char* name) {
  Bench bench(name);
  std::vector<Visitor*> peers;
  Visitor visitor(bench.ops, bench.domain, {&bench.station}, peers, 0, Level::kTask, 1);
  visitor.attach(bench.ctx);
  for (auto _ : state) visitor.plain();
  benchmark::DoNotOptimize(visitor.sections());
}

template <void (*Lock)(), void (*Unlock)()>
void direct_read(benchmark::State& state, const char* name) {
  Bench bench(name);
  std::atomic<Element*>& slot = bench.station.bucket(0);
  std::array<uint64_t, kPipeSlots> histogram{};
  uint64_t newest = 0, bad = 0;
  for (auto _ : state) {
    Lock();
    const Element* e = slot.load(std::memory_order_consume);
    // relaxed, all three: ordered by the dependency, as in Visitor
    const uint64_t generation = e->generation.load(std::memory_order_relaxed);
    if (e->payload.load(std::memory_order_relaxed) != seal(generation) || generation < newest) ++bad;
    newest = generation;
    const uint32_t pipe = e->pipe.load(std::memory_order_relaxed);
    ++histogram[pipe < kPipeLength ? pipe : kPipeLength];
    Unlock();
    benchmark::ClobberMemory();
  }
  benchmark::DoNotOptimize(histogram);
  benchmark::DoNotOptimize(bad);
}

void memb_lock() { urcu_memb_read_lock(); }
void memb_unlock() { urcu_memb_read_unlock(); }
void mb_lock() { urcu_mb_read_lock(); }
void mb_unlock() { urcu_mb_read_unlock(); }

constexpr auto direct_memb = direct_read<memb_lock, memb_unlock>;
constexpr auto direct_mb = direct_read<mb_lock, mb_unlock>;

BENCHMARK_CAPTURE(torture_read, memb, "urcu-memb")->Name("torture_read/urcu-memb");
BENCHMARK_CAPTURE(direct_memb, memb, "urcu-memb")->Name("direct_read/urcu-memb");
BENCHMARK_CAPTURE(direct_memb, again, "urcu-memb")->Name("direct_read_again/urcu-memb");  // the noise floor
BENCHMARK_CAPTURE(torture_read, mb, "urcu-mb")->Name("torture_read/urcu-mb");
BENCHMARK_CAPTURE(direct_mb, mb, "urcu-mb")->Name("direct_read/urcu-mb");

}  // namespace
}  // namespace torture

BENCHMARK_MAIN();
