// From a post to its callback: what the poster pays, how long the callback takes to come, and how many can be
// had.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "flavours.hpp"
#include "samples.hpp"
#include "thread.hpp"

namespace srcu_bench {
namespace {

constexpr size_t kBurst = 4096;

/// CPU time of the poster, in bursts; the helper that serves callbacks is awake but for the first.
template <class Flavour>
void post(benchmark::State& state) {
  const Attached<Flavour> attached(0);
  std::vector<rcu_head> heads(kBurst);
  while (state.KeepRunningBatch(kBurst)) {
    const uint64_t begin = cpu_ns();
    for (rcu_head& head : heads) Flavour::call(&head, [](rcu_head*) {});
    state.SetIterationTime(static_cast<double>(cpu_ns() - begin) * 1e-9);
    Flavour::barrier();
  }
}

struct Timed {
  rcu_head head;  // first: the callback casts
  std::atomic<uint64_t> invoked_ns{0};

  static void invoke(rcu_head* head) {
    auto& invoked = reinterpret_cast<Timed*>(head)->invoked_ns;
    invoked.store(wall_ns(), std::memory_order_release);  // pairs with the loads below
    invoked.notify_one();
  }
};

/// The median of posts into an idle domain, one at a time. At its own pace each takes milliseconds: too few
/// for a p99.
template <class Flavour>
void invoke(benchmark::State& state) {
  const Attached<Flavour> attached(0);
  std::vector<uint64_t> took(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    for (uint64_t& each : took) {
      Timed timed;
      const uint64_t begin = wall_ns();
      Flavour::call(&timed.head, Timed::invoke);
      Flavour::hurry();
      timed.invoked_ns.wait(0, std::memory_order_acquire);  // pairs with the store above
      each = timed.invoked_ns.load(std::memory_order_acquire) - begin;
      Flavour::barrier();  // its memory is the next one's
    }
    tell(state, took);
  }
}

/// Heads that are posted round and round, each again once its callback has run. More than liburcu lets wait
/// during its ten milliseconds, so that the ring holds up nobody.
class Ring {
 public:
  explicit Ring(size_t size) : size_(size), heads_(new Head[size]) {}

  template <class Flavour>
  void post() {
    while (posted_ - seen_ >= size_) {
      std::this_thread::yield();
      look();
    }
    Head& head = heads_[posted_++ % size_];
    head.ring = this;
    Flavour::call(&head.head, [](rcu_head* head) {
      auto& invoked = reinterpret_cast<Head*>(head)->ring->invoked_;
      // relaxed: one writer; release: pairs with the acquire in look(): the head is free again
      invoked.store(invoked.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    });
  }
  uint64_t posted() const { return posted_; }

  /// How many wait. Not asked for at each post: the line is the helper's.
  uint64_t look() {
    seen_ = invoked_.load(std::memory_order_acquire);  // pairs with the callback's release
    return posted_ - seen_;
  }

 private:
  struct Head {
    rcu_head head;  // first: the callback casts
    Ring* ring;
  };
  const size_t size_;
  const std::unique_ptr<Head[]> heads_;
  uint64_t posted_ = 0, seen_ = 0;
  alignas(128) std::atomic<uint64_t> invoked_{0};
};

/// CPU time so far of the thread that runs callbacks, asked in one.
template <class Flavour>
uint64_t helper_cpu_ns() {
  struct Asked {
    rcu_head head;  // first: the callback casts
    uint64_t ns;
  } asked;
  Flavour::call(&asked.head, [](rcu_head* head) { reinterpret_cast<Asked*>(head)->ns = cpu_ns(); });
  Flavour::barrier();
  return asked.ns;
}

/// Wall time a callback while one thread posts as fast as it can, until the last has run; how many waited at most; and
/// what a callback costs the helper, as a part of what a post costs: less than 1, and the backlog is bounded, but for
/// times when others have the helper's CPU.
template <class Flavour>
void throughput(benchmark::State& state) {
  const Attached<Flavour> attached(0);
  constexpr uint64_t kLook = 256;
  for (auto _ : state) {
    Ring ring(static_cast<size_t>(state.range(0)));
    uint64_t backlog = 0;
    const uint64_t helper = helper_cpu_ns<Flavour>(), poster = cpu_ns(), begin = wall_ns();
    for (const uint64_t end = begin + 100'000'000; wall_ns() < end;) {
      for (uint64_t i = 0; i < kLook; ++i) ring.post<Flavour>();
      backlog = std::max(backlog, ring.look());
    }
    const auto posted_ns = static_cast<double>(cpu_ns() - poster);
    Flavour::barrier();
    state.SetIterationTime(static_cast<double>(wall_ns() - begin) * 1e-9 / static_cast<double>(ring.posted()));
    state.counters["backlog"] = static_cast<double>(backlog);
    state.counters["helper_share"] = static_cast<double>(helper_cpu_ns<Flavour>() - helper) / posted_ns;
  }
}

BENCHMARK(post<Srcu>)->Name("post/srcu/none")->UseManualTime();
BENCHMARK(post<SrcuFast>)->Name("post/srcu-fast/none")->UseManualTime();
BENCHMARK(post<UrcuMemb>)->Name("post/urcu-memb/none")->UseManualTime();
BENCHMARK(post<UrcuMemb>)->Name("post/urcu-memb-again/none")->UseManualTime();

void medians(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("callbacks")->Iterations(1)->UseManualTime();
}

BENCHMARK(invoke<Srcu>)->Name("invoke/srcu")->Arg(21)->Apply(medians);
BENCHMARK(invoke<Expedited<Srcu>>)->Name("invoke/srcu-expedited")->Arg(1001)->Apply(medians);
BENCHMARK(invoke<Expedited<SrcuFast>>)->Name("invoke/srcu-fast-expedited")->Arg(1001)->Apply(medians);
BENCHMARK(invoke<UrcuMemb>)->Name("invoke/urcu-memb")->Arg(11)->Apply(medians);
BENCHMARK(invoke<UrcuMemb>)->Name("invoke/urcu-memb-again")->Arg(11)->Apply(medians);

void rates(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("heads")->Arg(1 << 20)->Iterations(1)->UseManualTime();
}

BENCHMARK(throughput<Srcu>)->Name("throughput/srcu")->Apply(rates);
BENCHMARK(throughput<SrcuFast>)->Name("throughput/srcu-fast")->Apply(rates);
BENCHMARK(throughput<UrcuMemb>)->Name("throughput/urcu-memb")->Apply(rates);
BENCHMARK(throughput<UrcuMemb>)->Name("throughput/urcu-memb-again")->Apply(rates);

}  // namespace
}  // namespace srcu_bench
