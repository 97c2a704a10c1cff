// Executions a second, by strategy. Reported, never asserted: machines differ by an order of magnitude, since those without the
// FSGSBASE instructions need a system call for each switch.
#include <benchmark/benchmark.h>

#include "harness/engine/renew.hpp"
#include "harness/engine/run.hpp"

namespace {

void execute(benchmark::State& state, engine::Strategy strategy) {
  static engine::Run run;
  engine::Settings settings;
  settings.strategy = strategy;
  settings.steps_expected = 110;
  uint64_t steps = 0;
  for (auto _ : state) {
    ++settings.seed;
    const engine::Outcome outcome = run.execute(engine::all_tests().front(), settings);
    if (!outcome.fine()) return state.SkipWithError(outcome.what.c_str());
    steps += outcome.steps;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["steps"] = benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kAvgIterations);
}

}  // namespace

int main(int argc, char** argv) {
  engine::keep_program();
  benchmark::RegisterBenchmark("execute/random", execute, engine::Strategy::kRandom);
  benchmark::RegisterBenchmark("execute/pct3", execute, engine::Strategy::kPct);
  benchmark::RegisterBenchmark("execute/pos", execute, engine::Strategy::kPos);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
