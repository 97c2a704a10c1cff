#include "torture/cli/jobs.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <memory>

#include "harness/record/files.hpp"
#include "harness/topology/cpu_list.hpp"
#include "torture/cli/kernel_layout.hpp"
#include "torture/oracle/judge.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;

std::string clock_words() { return fmt::format("{:%F %T}", fmt::localtime(std::time(nullptr))); }

// The kernel's scripts read nothing but the console: what only the judge saw (a missed canary, a limit of
// --fail-on) is said there too.
void tell_console(const fs::path& dir, const PlannedScenario& planned, const Judgement& j) {
  const int status = exit_status(j.verdict);
  if (status != exit_status(Verdict::kFailure) && status != exit_status(Verdict::kBroken)) return;
  const fs::path console = dir / "console.log";
  if (!fs::exists(console) || harness::read_text(console).find("SUCCESS") == std::string::npos) return;
  harness::Appender(console).line(
      fmt::format("{}-torture: !!! {}: {}", planned.flavor.ops->name, verdict_name(j.verdict), j.why));
}

/// One part of the machine: what runs there now, and what is next.
class Job {
 public:
  Job(unsigned part, RunContext& context, harness::Appender& log)
      : part_(part), context_(context), log_(log) {}

  /// Looks after what runs, ends it, starts the next. False when nothing is left to do.
  bool step() {
    while (!(run_ && run_->step())) {
      if (run_) finish();
      if (context_.stop.noted() || !start_next()) return false;
    }
    return true;
  }

  const Supervisor* running() const { return &run_->supervisor(); }

 private:
  bool start_next() {
    const auto& scenarios = context_.plan.scenarios;
    while (next_ < scenarios.size() && scenarios[next_].part != part_) ++next_;
    if (next_ == scenarios.size()) return false;
    const PlannedScenario& planned = scenarios[next_++];
    log_.line(fmt::format("{} {} starts: {} for {:.0f} s on PUs {}, seed 0x{:x}", clock_words(), planned.dir,
                          planned.flavor.ops->name, planned.duration_s,
                          harness::cpu_list_text(context_.pus_of(planned).pus()), planned.seed));
    run_ = std::make_unique<ScenarioRun>(planned, context_);
    return true;
  }

  void finish() {
    const PlannedScenario& planned = run_->planned();
    const fs::path dir = context_.dir_of(planned);
    const Judgement j = judge_scenario(dir);
    tell_console(dir, planned, j);
    if (const auto& ended = run_->supervisor().ended(); ended && context_.plan.kernel_layout)
      kernel_layout::end_scenario(dir, *ended);
    harness::write_once(dir / "verdict.json", j.json().dump(2) + "\n");
    log_.line(fmt::format("{} {} ends: {}{}", clock_words(), planned.dir, verdict_name(j.verdict),
                          j.why.empty() ? "" : ", " + j.why));
    context_.progress.end(planned.dir, verdict_name(j.verdict), j.why);
    run_.reset();
  }

  unsigned part_;
  RunContext& context_;
  harness::Appender& log_;
  size_t next_ = 0;
  std::unique_ptr<ScenarioRun> run_;
};

}  // namespace

void run_all(RunContext& context) {
  harness::Appender log(context.dir / "log");
  if (context.plan.kernel_layout) kernel_layout::begin_run(context.dir, log, context.command);
  for (const PlannedScenario& planned : context.plan.scenarios) {
    if (context.stop.noted()) return;
    run_canary(planned, context);
  }
  std::vector<Job> jobs;
  for (unsigned part = 0; part < context.plan.jobs; ++part) jobs.emplace_back(part, context, log);
  while (true) {
    std::vector<const Supervisor*> running;
    for (Job& job : jobs) {
      if (job.step()) running.push_back(job.running());
    }
    if (running.empty()) return;
    context.progress.tick();
    Supervisor::wait(running);
  }
}

}  // namespace torture
