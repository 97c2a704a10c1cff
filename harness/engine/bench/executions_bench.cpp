// Executions a second, by strategy. Reported, never asserted: machines differ by an order of magnitude, since those without the
// FSGSBASE instructions need a system call for each switch.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "harness/engine/renew.hpp"
#include "harness/engine/run.hpp"

namespace {

void execute(benchmark::State& state, const engine::Test& test, engine::Strategy strategy) {
  static engine::Run run;
  engine::Settings settings;
  settings.strategy = strategy;
  settings.steps_expected = test.name == std::string_view("hundred_steps") ? 110 : 1100;
  uint64_t steps = 0;
  for (auto _ : state) {
    ++settings.seed;
    const engine::Outcome outcome = run.execute(test, settings);
    if (!outcome.fine()) return state.SkipWithError(outcome.what.c_str());
    steps += outcome.steps;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["steps"] = benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kAvgIterations);
}

}  // namespace

int main(int argc, char** argv) {
  engine::keep_program();
  constexpr std::pair<const char*, engine::Strategy> kStrategies[] = {
      {"random", engine::Strategy::kRandom}, {"pct3", engine::Strategy::kPct}, {"pos", engine::Strategy::kPos}};
  for (const engine::Test& test : engine::all_tests())
    for (const auto& [name, strategy] : kStrategies)
      benchmark::RegisterBenchmark((std::string(test.name) + "/" + name).c_str(), execute, test, strategy);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
