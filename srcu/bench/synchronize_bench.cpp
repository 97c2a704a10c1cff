// What waiting for a grace period costs: without readers (the updater is a registered thread on either side;
// CPU time), against a reader that reads all the time, and together with others that wait. The latter two are
// the median of what a single call took, in wall time, however many threads call: Google Benchmark's own real
// time would be that divided by the number of threads.
#include <benchmark/benchmark.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "flavours.hpp"
#include "peers.hpp"
#include "samples.hpp"
#include "thread.hpp"

namespace srcu_bench {
namespace {

template <class Flavour>
void synchronize(benchmark::State& state) {
  const Attached<Flavour> attached(0);
  for (auto _ : state) Flavour::synchronize();
}

/// Opens and closes sections of about a microsecond on a CPU of its own, and counts them.
template <class Flavour>
class BusyReader {
 public:
  BusyReader() : thread_([this] { read(); }) {
    while (sections() == 0) std::this_thread::yield();
  }
  ~BusyReader() {
    stop_.store(true, std::memory_order_relaxed);  // relaxed: joined next
    thread_.join();
  }
  BusyReader(const BusyReader&) = delete;
  BusyReader& operator=(const BusyReader&) = delete;

  uint64_t sections() const { return sections_.load(std::memory_order_relaxed); }  // relaxed: a clock

 private:
  void read() {
    const Attached<Flavour> attached(1);
    while (!stop_.load(std::memory_order_relaxed)) {  // relaxed: nothing is read by it
      const auto token = Flavour::lock();
      for (const uint64_t end = wall_ns() + 1000; wall_ns() < end;) {
      }
      sections_.store(sections() + 1,
                      std::memory_order_relaxed);  // relaxed: one writer, and a clock to others
      Flavour::unlock(token);
      Flavour::between_sections();
    }
  }

  alignas(128) std::atomic<uint64_t> sections_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// The median of grace periods, one a section of the reader at most. A reader that is preempted outside a
/// section lets thousands pass at the price of an idle domain; counting each would make the median that of
/// the idle domain.
template <class Flavour>
void synchronize_busy(benchmark::State& state) {
  const Attached<Flavour> attached(0);
  const BusyReader<Flavour> reader;
  std::vector<uint64_t> took(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    uint64_t before = reader.sections();
    for (size_t counted = 0; counted < took.size();) {
      const uint64_t section = reader.sections();
      const uint64_t begin = wall_ns();
      Flavour::synchronize();
      took[counted] = wall_ns() - begin;
      counted += section != before;
      before = section;
    }
    tell(state, took);
  }
}

BENCHMARK(synchronize<Srcu>)->Name("synchronize/srcu/readers:0");
BENCHMARK(synchronize<SrcuFast>)->Name("synchronize/srcu-fast/readers:0");
BENCHMARK(synchronize<Expedited<Srcu>>)->Name("synchronize/srcu-expedited/readers:0");
BENCHMARK(synchronize<Expedited<SrcuFast>>)->Name("synchronize/srcu-fast-expedited/readers:0");
BENCHMARK(synchronize<UrcuMemb>)->Name("synchronize/urcu-memb/readers:0");
BENCHMARK(synchronize<UrcuMemb>)->Name("synchronize/urcu-memb-again/readers:0");
BENCHMARK(synchronize<UrcuMb>)->Name("synchronize/urcu-mb/readers:0");
BENCHMARK(synchronize<UrcuQsbr>)->Name("synchronize/urcu-qsbr/readers:0");
BENCHMARK(synchronize<UrcuBp>)->Name("synchronize/urcu-bp/readers:0");

void medians(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("grace_periods")->Arg(1001)->Iterations(1)->UseManualTime();
}

BENCHMARK(synchronize_busy<Srcu>)->Name("synchronize/srcu/readers:1")->Apply(medians);
BENCHMARK(synchronize_busy<SrcuFast>)->Name("synchronize/srcu-fast/readers:1")->Apply(medians);
BENCHMARK(synchronize_busy<Expedited<Srcu>>)->Name("synchronize/srcu-expedited/readers:1")->Apply(medians);
BENCHMARK(synchronize_busy<Expedited<SrcuFast>>)
    ->Name("synchronize/srcu-fast-expedited/readers:1")
    ->Apply(medians);
BENCHMARK(synchronize_busy<UrcuMemb>)->Name("synchronize/urcu-memb/readers:1")->Apply(medians);
BENCHMARK(synchronize_busy<UrcuMemb>)->Name("synchronize/urcu-memb-again/readers:1")->Apply(medians);
BENCHMARK(synchronize_busy<UrcuMb>)->Name("synchronize/urcu-mb/readers:1")->Apply(medians);
BENCHMARK(synchronize_busy<UrcuQsbr>)->Name("synchronize/urcu-qsbr/readers:1")->Apply(medians);
BENCHMARK(synchronize_busy<UrcuBp>)->Name("synchronize/urcu-bp/readers:1")->Apply(medians);

#ifdef SRCU_BENCH_CK
BENCHMARK(synchronize<CkEpoch>)->Name("synchronize/ck-epoch/readers:0");
BENCHMARK(synchronize_busy<CkEpoch>)->Name("synchronize/ck-epoch/readers:1")->Apply(medians);
#endif
#ifdef SRCU_BENCH_CDS
BENCHMARK(synchronize<CdsInstant>)->Name("synchronize/cds-instant/readers:0");
BENCHMARK(synchronize_busy<CdsInstant>)->Name("synchronize/cds-instant/readers:1")->Apply(medians);
#endif

constexpr auto kTogether = std::chrono::milliseconds(100);  // 64 threads on two CPUs each get their turn

/// Several threads that wait at once, each as soon as it can: grace periods are shared. The median of all
/// their calls; how many end in a second stands in `calls_per_s`.
template <class Flavour>
void synchronize_together(benchmark::State& state) {
  const auto number = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    std::vector<std::vector<uint64_t>> took(number);
    std::atomic<bool> over{false};
    std::barrier start(static_cast<std::ptrdiff_t>(number) + 1);
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < number; ++i) {
      threads.emplace_back([&, i] {
        const Attached<Flavour> attached(static_cast<int>(i));
        start.arrive_and_wait();
        do {
          const uint64_t begin = wall_ns();
          Flavour::synchronize();
          took[i].push_back(wall_ns() - begin);
        } while (!over.load(std::memory_order_relaxed));  // relaxed: a flag
      });
    }
    start.arrive_and_wait();
    const uint64_t begin = wall_ns();
    std::this_thread::sleep_for(kTogether);
    over.store(true, std::memory_order_relaxed);  // relaxed: joined next
    threads.clear();
    const auto all_ns = static_cast<double>(wall_ns() - begin);
    std::vector<uint64_t> calls;
    for (const auto& own : took) calls.insert(calls.end(), own.begin(), own.end());
    state.counters["calls_per_s"] = static_cast<double>(calls.size()) * 1e9 / all_ns;
    tell(state, std::move(calls));
  }
}

void crowds(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("callers")->Arg(2)->Arg(8)->Arg(64)->Iterations(1)->UseManualTime();
}

BENCHMARK(synchronize_together<Srcu>)->Name("synchronize/srcu/together")->Apply(crowds);
BENCHMARK(synchronize_together<SrcuFast>)->Name("synchronize/srcu-fast/together")->Apply(crowds);
BENCHMARK(synchronize_together<UrcuMemb>)->Name("synchronize/urcu-memb/together")->Apply(crowds);
BENCHMARK(synchronize_together<UrcuMb>)->Name("synchronize/urcu-mb/together")->Apply(crowds);
BENCHMARK(synchronize_together<UrcuQsbr>)->Name("synchronize/urcu-qsbr/together")->Apply(crowds);
BENCHMARK(synchronize_together<UrcuBp>)->Name("synchronize/urcu-bp/together")->Apply(crowds);
#ifdef SRCU_BENCH_CK
BENCHMARK(synchronize_together<CkEpoch>)->Name("synchronize/ck-epoch/together")->Apply(crowds);
#endif
#ifdef SRCU_BENCH_CDS
BENCHMARK(synchronize_together<CdsInstant>)->Name("synchronize/cds-instant/together")->Apply(crowds);
#endif

}  // namespace
}  // namespace srcu_bench
