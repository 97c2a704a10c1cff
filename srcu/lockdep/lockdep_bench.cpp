// What the prover costs a program whose locks it knows: an acquisition and its release, without the lock
// itself. CPU time; each name has a twin that does the same, for the noise floor.
#include <benchmark/benchmark.h>

#include "srcu/lockdep.h"

namespace {

srcu_lockdep_class classes[] = {
    SRCU_LOCKDEP_CLASS("a", SRCU_LOCKDEP_SPIN), SRCU_LOCKDEP_CLASS("b", SRCU_LOCKDEP_SPIN),
    SRCU_LOCKDEP_CLASS("c", SRCU_LOCKDEP_SPIN), SRCU_LOCKDEP_CLASS("d", SRCU_LOCKDEP_SPIN)};

/// One pair while `state.range(0)` others are held.
void pair(benchmark::State& state) {
  const auto held = static_cast<size_t>(state.range(0));
  srcu_lockdep_start();
  for (size_t i = 0; i < held; ++i) srcu_lockdep_acquire(&classes[i], &classes[i], SRCU_LOCKDEP_WRITE);
  for (auto _ : state) {
    srcu_lockdep_acquire(&classes[held], &classes[held], SRCU_LOCKDEP_WRITE);
    benchmark::ClobberMemory();
    srcu_lockdep_release(&classes[held]);
  }
  for (size_t i = held; i-- > 0;) srcu_lockdep_release(&classes[i]);
  srcu_lockdep_stop();
  if (srcu_lockdep_get_stats().reports) state.SkipWithError("the order of these locks is right");
}

void pair_switched_off(benchmark::State& state) {
  for (auto _ : state) {
    srcu_lockdep_acquire(&classes[0], &classes[0], SRCU_LOCKDEP_WRITE);
    benchmark::ClobberMemory();
    srcu_lockdep_release(&classes[0]);
  }
}

void empty_loop(benchmark::State& state) {
  for (auto _ : state) benchmark::ClobberMemory();
}

void held(benchmark::internal::Benchmark* benchmark) { benchmark->ArgName("held")->Arg(0)->Arg(1)->Arg(3); }

BENCHMARK(pair)->Name("lockdep/pair")->Apply(held);
BENCHMARK(pair)->Name("lockdep/pair-again")->Apply(held);
BENCHMARK(pair_switched_off)->Name("lockdep/switched_off");
BENCHMARK(pair_switched_off)->Name("lockdep/switched_off-again");
BENCHMARK(empty_loop)->Name("lockdep/empty_loop");

}  // namespace

BENCHMARK_MAIN();
