#include "harness/engine/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <new>

#include "harness/base/clock.hpp"
#include "harness/base/splitmix.hpp"
#include "harness/engine/crash.hpp"
#include "harness/engine/distinct.hpp"
#include "harness/engine/jobs.hpp"
#include "harness/engine/shrink.hpp"
#include "harness/engine/story.hpp"
#include "harness/supervise/shared_pages.hpp"

namespace engine {
namespace {

constexpr size_t kStoryLines = 30;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

uint64_t mixed(uint64_t seed, uint64_t index) {
  uint64_t stream = seed + index * 0x9e3779b97f4a7c15u;  // as far on as if `index` numbers had been drawn
  return harness::splitmix(stream);
}

void tell_failure(Run& run, const Test& test, const Settings& settings, const Outcome& found, Report& report, Line& line) {
  report.steps = found.steps;
  report.hash = found.hash;
  report.token = to_text({build_id(), test.name, settings, found.hash});
  report.failed = true;
  report.what = found.what + " (what came of shortening it is not known)";
  report.shrunk_steps = found.steps;
  line.say(report);  // on the way the code may do what ends the process
  const Shrunk shrunk = shrink(run, test, settings, found);
  end_watch();
  line.ends();
  if (!shrunk.repeats) {  // something decides what neither seed nor engine does
    report.failed = false;
    report.broken = true;
    report.what = fmt::format("a failure that does not repeat: {}; {}", tell(found), report.token);
    return;
  }
  report.what = tell(shrunk.outcome);
  report.shrunk_steps = shrunk.outcome.steps;
  report.story = tell(shrunk.recording, shrunk.outcome, kStoryLines);
}

/// What jobs know of each other: executions from this one on are not wanted any more. A hint, relaxed: reports come by pipes.
class Wanted {
 public:
  Wanted() : end_(new (harness::map_shared(sizeof *end_, "what jobs know of each other")) std::atomic<uint64_t>(UINT64_MAX)) {}
  ~Wanted() { harness::unmap_shared(end_, sizeof *end_); }
  Wanted(const Wanted&) = delete;
  Wanted& operator=(const Wanted&) = delete;

  bool is(uint64_t execution) const { return execution < end_->load(std::memory_order_relaxed); }
  void only_before(uint64_t execution) {
    uint64_t now = end_->load(std::memory_order_relaxed);
    while (execution < now && !end_->compare_exchange_weak(now, execution, std::memory_order_relaxed)) {
    }
  }

 private:
  std::atomic<uint64_t>* const end_;
};

/// Executions job, job + jobs, ... of the campaign. The first that fails is the same however fast the jobs are: each goes on to it.
Report one_job(const Test& test, const Plan& plan, unsigned job, Wanted& wanted, Distinct& distinct, Line& line) {
  Run run;
  watch_for_crashes(run);
  Report report;
  uint32_t steps_expected = 10;  // grows with what is seen
  const double begun = cpu_seconds();
  const uint64_t deadline = plan.seconds > 0 ? harness::now_ns() + static_cast<uint64_t>(plan.seconds * 1e9) : 0;
  for (uint64_t i = job; wanted.is(i) && (deadline != 0 || i < plan.executions); i += plan.jobs) {
    if (deadline != 0 && report.executions % 64 == 0 && harness::now_ns() > deadline) break;
    const Settings settings = settings_of(plan, i, steps_expected);
    line.begins(i);
    const Outcome outcome = run.execute(test, settings);
    ++report.executions;
    report.hash = mixed(report.hash, outcome.hash);
    distinct.add(outcome.hash);
    if (plan.each_twice && run.execute(test, settings).hash != outcome.hash) {
      report.broken = true;
      report.what = fmt::format("an execution is not the same the second time: {}", to_text({build_id(), test.name, settings, outcome.hash}));
      break;
    }
    if (!outcome.fine()) {
      wanted.only_before(i);
      report.failed_in = i;
      report.seconds = cpu_seconds() - begun;
      tell_failure(run, test, settings, outcome, report, line);
      return report;
    }
    steps_expected = std::max(steps_expected, outcome.steps);
  }
  report.seconds = cpu_seconds() - begun;
  return report;
}

/// One line. A replay is no finding of its own: if it does not do what the token's execution did, nothing is known of that.
std::string told_of_other(const Token& token, const Outcome& outcome) {
  return fmt::format("this did not come to what the token's did (hash {:016x}, not {:016x}): {}; something decides that is not the engine's: "
                     "a file, the environment, randomised addresses, or memory that earlier executions left",
                     outcome.hash, token.hash, outcome.fine() ? "nothing failed" : tell(outcome));
}

}  // namespace

Settings settings_of(const Plan& plan, uint64_t index, uint32_t steps_expected) {
  Settings settings = plan.settings;
  settings.seed = mixed(plan.settings.seed, index);
  settings.steps_expected = steps_expected;
  if (plan.each_handler) settings.handler_at = 1 + static_cast<uint32_t>(index % steps_expected);
  if (plan.mix) {  // the two find different things: bugs that need one long delay, and bugs that need a fine mesh
    const uint64_t turn = plan.each_handler ? index / steps_expected : index;  // each place meets each strategy
    settings.strategy = turn % 2 == 0 ? Strategy::kPos : Strategy::kPct;
    settings.depth = turn % 4 == 1 ? 3 : 5;
  }
  return settings;
}

/// A failure was seen, whatever broke elsewhere.
bool worse(const Report& one, const Report& than) {
  if (one.failed) return !than.failed || one.failed_in < than.failed_in;
  return one.broken && !than.failed && !than.broken;
}

Report run_campaign(const Test& test, const Plan& plan) {
  Wanted wanted;
  Distinct distinct;
  std::vector<Work> works;
  for (unsigned job = 0; job < plan.jobs; ++job) works.push_back([&, job](Line& line) { return one_job(test, plan, job, wanted, distinct, line); });
  std::vector<Report> reports = run_jobs(works, plan.patience_s, [&](const Report& report) {
    if (report.broken && plan.seconds > 0) wanted.only_before(0);  // otherwise what the others do would be chance
  });
  Report all;
  for (Report& one : reports) {
    all.executions += one.executions;
    all.seconds += one.seconds;
    if (worse(one, all)) {
      one.executions = all.executions;
      one.seconds = all.seconds;
      all = std::move(one);
    } else if (!all.failed) {
      all.hash = mixed(all.hash, one.hash);
    }
  }
  all.distinct = distinct.count();
  all.distinct_at_least = distinct.full();
  if (all.failed) all.executions = all.failed_in + 1;  // how many the others made meanwhile is chance
  return all;
}

Report run_once(const Test& test, const Token& token, bool in_full, double patience_s) {
  const Work work = [&](Line& line) {
    Run run;
    watch_for_crashes(run);
    Report report;
    Recording recording;
    if (in_full) run.record_to(&recording);
    line.begins(0);
    const Outcome outcome = run.execute(test, token.settings);
    run.record_to(nullptr);
    report.executions = 1;
    report.steps = outcome.steps;
    report.hash = outcome.hash;
    const bool same = outcome.hash == token.hash;
    if (same && !outcome.fine()) tell_failure(run, test, token.settings, outcome, report, line);
    end_watch();
    line.ends();
    if (!same) {
      report.broken = true;
      report.what = told_of_other(token, outcome);
    }
    if (in_full) report.story = tell_in_full(recording);
    return report;
  };
  return run_jobs({work}, patience_s, [](const Report&) {}).front();
}

}  // namespace engine
