// The other ways of waiting: a barrier behind callbacks, and grace periods that are polled for.
#include <benchmark/benchmark.h>

#include <vector>

#include "flavours.hpp"
#include "peers.hpp"
#include "thread.hpp"

namespace srcu_bench {
namespace {

/// Behind so many callbacks that were just posted; wall time. The posts are timed elsewhere, as post/...
template <class Flavour>
void barrier(benchmark::State& state) {
  const Attached<Flavour> attached(0);
  using Head = typename Flavour::Head;
  std::vector<Head> heads(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    for (Head& head : heads) Flavour::call(&head, [](Head*) {});
    const uint64_t begin = wall_ns();
    Flavour::barrier();
    state.SetIterationTime(static_cast<double>(wall_ns() - begin) * 1e-9);
  }
}

/// liburcu 0.13 cannot be polled. From asking for a grace period until polling says that it is over; how often one asks stands in `polls`.
template <class Flavour>
void poll(benchmark::State& state) {
  const Attached<Flavour> attached(0);
  uint64_t polls = 0;
  for (auto _ : state) {
    const uint64_t begin = wall_ns();
    const unsigned long cookie = start_poll_synchronize_srcu(&Flavour::domain());
    for (;; ++polls)
      if (poll_state_synchronize_srcu(&Flavour::domain(), cookie)) break;
    state.SetIterationTime(static_cast<double>(wall_ns() - begin) * 1e-9);
  }
  state.counters["polls"] = benchmark::Counter(static_cast<double>(polls), benchmark::Counter::kAvgIterations);
}

/// Of a grace period that ended long ago.
template <class Flavour>
void poll_ended(benchmark::State& state) {
  const Attached<Flavour> attached(0);
  const unsigned long cookie = get_state_synchronize_srcu(&Flavour::domain());
  Flavour::synchronize();
  for (auto _ : state) benchmark::DoNotOptimize(poll_state_synchronize_srcu(&Flavour::domain(), cookie));
}

void callbacks(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("callbacks")->Arg(0)->Arg(1024)->Iterations(20)->UseManualTime();
}

BENCHMARK(barrier<Srcu>)->Name("barrier/srcu")->Apply(callbacks);
BENCHMARK(barrier<SrcuFast>)->Name("barrier/srcu-fast")->Apply(callbacks);
BENCHMARK(barrier<UrcuMemb>)->Name("barrier/urcu-memb")->Apply(callbacks);
BENCHMARK(barrier<UrcuMb>)->Name("barrier/urcu-mb")->Apply(callbacks);
BENCHMARK(barrier<UrcuQsbr>)->Name("barrier/urcu-qsbr")->Apply(callbacks);
BENCHMARK(barrier<UrcuBp>)->Name("barrier/urcu-bp")->Apply(callbacks);
#ifdef SRCU_BENCH_CK
BENCHMARK(barrier<CkEpoch>)->Name("barrier/ck-epoch")->Apply(callbacks);
#endif
BENCHMARK(poll<Srcu>)->Name("poll/srcu")->Iterations(100)->UseManualTime();
BENCHMARK(poll<SrcuFast>)->Name("poll/srcu-fast")->Iterations(100)->UseManualTime();
BENCHMARK(poll_ended<Srcu>)->Name("poll/srcu/ended");
BENCHMARK(poll_ended<SrcuFast>)->Name("poll/srcu-fast/ended");

}  // namespace
}  // namespace srcu_bench
