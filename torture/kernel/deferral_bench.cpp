// How often each way of telling has a post deferred, and how often it had to be: asked in every context and wherever the
// natural paths come by, beside a judge that follows the direct path to see whether it meets a lock that the thread holds
// (needs.hpp), which is not all that the matrix means by needless: see there. Nothing is posted, so that wrong answers can be
// counted, too.
#include <fmt/format.h>

#include "torture/kernel/bench.hpp"
#include "torture/kernel/cells.hpp"
#include "torture/kernel/natural.hpp"
#include "torture/kernel/needs.hpp"

namespace torture::kernel {
namespace {

constexpr unsigned kVisits = 40, kWalks = 20;

/// Counts of answers. Signal-safe; relaxed throughout: counts that are read when all is over.
struct Answers {
  BenchDomain& domain;
  std::atomic<uint64_t> asked{0}, deferred{0}, needed{0}, needless{0}, missed{0};

  static void ask(void* argument) {
    auto& self = *static_cast<Answers*>(argument);
    srcu::Usage& usage = self.domain.usage();
    const bool needed = post_must_be_deferred(usage), defers = usage.strategy->must_stage_nolock(usage);
    count(self.asked, true);
    count(self.deferred, defers);
    count(self.needed, needed);
    count(self.needless, defers && !needed);
    count(self.missed, needed && !defers);
  }
  void tell(benchmark::State& state) const {
    const double all = of(asked), deferrals = of(deferred);
    state.counters["asked"] = all;
    state.counters["deferred_share"] = deferrals / all;
    state.counters["needed_share"] = of(needed) / all;
    if (deferrals > 0) state.counters["precision"] = 1 - of(needless) / deferrals;
    state.counters["needless_share"] = of(needless) / all;
    state.counters["missed_share"] = of(missed) / all;
  }

 private:
  static void count(std::atomic<uint64_t>& what, bool happened) {
    what.fetch_add(happened, std::memory_order_relaxed);
  }
  static double of(const std::atomic<uint64_t>& what) { return static_cast<double>(what.load(std::memory_order_relaxed)); }
};

void in_context(benchmark::State& state, const Pair& pair) {
  const BenchMachine machine(2);
  BenchDomain domain(pair.strategy, Entry::kAsMeant);
  Answers answers{domain};
  for (auto _ : state) {
    const uint64_t begin_ns = srcu::env::now_ns();
    for (unsigned visit = 0; visit < kVisits; ++visit) {
      settle(domain.ssp());  // so that what is needed is always the same
      pair.context->run_in({domain.ssp(), cpu(0), visit % pair.context->places}, {Answers::ask, &answers});
    }
    state.SetIterationTime(static_cast<double>(srcu::env::now_ns() - begin_ns) * 1e-9 / kVisits);
  }
  answers.tell(state);
}

// As tracing programs come by: at each lock, wake-up, timer and work of the model, in proportion.
void on_natural_paths(benchmark::State& state, const std::string& strategy) {
  const BenchMachine machine(2);
  BenchDomain domain(strategy, Entry::kAsMeant);
  Answers answers{domain};
  for (auto _ : state) {
    const uint64_t begin_ns = srcu::env::now_ns();
    {
      const Attached attached(tracepoints(), {Answers::ask, &answers});
      for (unsigned walk = 0; walk < kWalks; ++walk) walk_natural_paths(domain.ssp());
    }
    state.SetIterationTime(static_cast<double>(srcu::env::now_ns() - begin_ns) * 1e-9 / kWalks);
  }
  answers.tell(state);
}

bool tells(const std::string& strategy) { return strategy.starts_with("nolock:") || strategy.starts_with("defer_"); }

}  // namespace

void register_deferral_benchmarks() {
  for (const std::string& strategy : cell_strategy_names()) {
    if (!tells(strategy)) continue;
    for (const Context& context : contexts()) {
      if (context.places == 0 || context.by_domain) continue;  // SRCU's own places are seen with the prover alone
      benchmark::RegisterBenchmark(fmt::format("deferral/{}/{}", strategy, context.name).c_str(), in_context,
                                   Pair{strategy, &context})
          ->Iterations(1)
          ->UseManualTime();
    }
    benchmark::RegisterBenchmark(fmt::format("deferral/{}/tracepoints", strategy).c_str(), on_natural_paths, strategy)
        ->Iterations(1)
        ->UseManualTime();
  }
}

}  // namespace torture::kernel
