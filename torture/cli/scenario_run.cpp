#include "torture/cli/scenario_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/record/files.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/crash_hold.hpp"
#include "harness/supervise/progress_board.hpp"
#include "harness/supervise/stack_mailbox.hpp"
#include "harness/supervise/stacks.hpp"
#include "harness/supervise/watch.hpp"
#include "harness/topology/placement.hpp"
#include "torture/threads/events.hpp"
#include "torture/threads/session.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr double kCanaryS = 4;  // a canary ends as soon as it is caught, most in well under a second
// The conductor beats every 10 ms. It may be given no CPU for long; it cannot be given it for 20 s and not
// beat.
constexpr harness::WatchLimits kWatch{.cpu_s = 40, .wall_s = 60};
constexpr uint64_t kStopGraceNs = 20'000'000'000;

/// Watches one child to its end.
class Supervisor {
 public:
  Supervisor(const fs::path& dir, RunContext& context, uint64_t start_ns)
      : dir_(dir), context_(context), events_(dir, start_ns) {}

  Events& events() { return events_; }

  void run(const SessionPlan& session) {
    harness::Child child(
        [&session, this] {
          harness::hold_on_crash(board_);
          run_session(session);
          return 0;
        },
        &mailbox_);
    harness::Watch watch(board_, child.pid(), kWatch);
    std::optional<harness::Ended> ended;
    while (!(ended = child.wait(0.2))) {
      context_.progress.tick();
      if (!helped_ && board_.help_asked()) help(child);
      if (uint64_t now = harness::now_ns(); now - looked_ns_ > 1'000'000'000) {
        looked_ns_ = now;
        if (const auto stall = watch.look()) end_hanging(child, stall->words());
      }
      pass_on_stop(child);
    }
    note_end(*ended);
  }

  harness::ProgressBoard& board() { return board_; }

 private:
  // The child noticed a hang or a crash itself and wrote down what it is. Now for the stacks, then the end.
  void help(harness::Child& child) {
    helped_ = true;
    write_stacks(child);
    board_.give_help();
    // It may stop itself only after we let it go on: then it is let go on again.
    for (int tries = 0; tries < 100 && !child.wait(0.1); ++tries) child.send(SIGCONT);
    if (!child.wait(0)) {
      by_supervisor_ = true;
      child.send(SIGKILL);
    }
  }

  void end_hanging(harness::Child& child, const std::string& words) {
    events_.say("failure",
                {{"check", "no_forward_progress"}, {"message", words}, {"evidence", "stacks.txt"}});
    write_stacks(child);
    by_supervisor_ = true;
    child.send(SIGKILL);
  }

  void pass_on_stop(harness::Child& child) {
    if (!context_.stop.noted()) return;
    if (stop_ns_ == 0) {
      stop_ns_ = harness::now_ns();
      events_.say("stopped", {{"signal", harness::signal_name(context_.stop.noted())}});
      board_.request_stop();
    } else if (harness::now_ns() - stop_ns_ > kStopGraceNs) {
      by_supervisor_ = true;
      child.send(SIGKILL);
    }
  }

  // Stopped first: running on, the torture would starve the debugger for many seconds, and move. Only threads
  // that must answer for themselves have to run.
  harness::Stacks stacks_of(harness::Child& child) {
    child.send(SIGSTOP);
    harness::Stacks stopped = harness::take_stacks(child.pid(), nullptr, {.answer_s = 0});
    child.send(SIGCONT);
    return stopped.way == "gdb" ? stopped : harness::take_stacks(child.pid(), &mailbox_, {.gdb_s = 0});
  }

  void write_stacks(harness::Child& child) {
    const harness::Stacks stacks = stacks_of(child);
    harness::write_once(dir_ / "stacks.txt", stacks.text);
    events_.say("stacks", {{"way", stacks.way}, {"why_no_better", stacks.why_no_better}});
  }

  void note_end(const harness::Ended& ended) {
    Json fields = {{"words", ended.words()}};
    if (ended.exit_code) fields["exit_code"] = *ended.exit_code;
    if (ended.signal) {
      fields["signal"] = harness::signal_name(ended.signal);
      fields["foreign"] = ended.foreign && !by_supervisor_;
      fields["by_supervisor"] = by_supervisor_;
      fields["oom"] = ended.oom;
    }
    events_.say("child_ended", fields);
  }

  fs::path dir_;
  RunContext& context_;
  Events events_;
  harness::ProgressBoard board_{64};
  harness::StackMailbox mailbox_;
  uint64_t looked_ns_ = 0, stop_ns_ = 0;
  bool helped_ = false, by_supervisor_ = false;
};

Json start_fields(const PlannedScenario& planned, const Plan& plan) {
  const Params& params = planned.scenario.params;
  const Ops& ops = *planned.flavor.ops;
  Json fields = {{"scenario", planned.scenario.name},
                 {"flavor", ops.name},
                 {"seed", fmt::format("0x{:x}", planned.seed)},
                 {"duration_s", planned.duration_s},
                 {"gp_seq_exact", (ops.facts & SRCUTORTURE_GP_SEQ_EXACT) != 0},
                 {"least", {{"grace_periods", params.least_gps}, {"reads", params.least_reads}}}};
  if (plan.fail_on_near_miss) fields["fail_on_near_miss"] = true;
  if (planned.stop_latency_ns > 0) fields["stop_latency_ns"] = planned.stop_latency_ns;
  if (plan.fail_on_latency_ns > 0) fields["fail_on_latency_ns"] = plan.fail_on_latency_ns;
  return fields;
}

void write_before_start(const PlannedScenario& planned, const fs::path& dir) {
  harness::write_once(dir / "scenario.toml", scenario_toml(planned.scenario));
  harness::write_once(dir / "seed.txt", fmt::format("0x{:x}\n", planned.seed));
}

SessionPlan session_plan(const PlannedScenario& planned, const fs::path& dir, const RunContext& context,
                         harness::ProgressBoard& board, uint64_t start_ns) {
  const Ops& ops = *planned.flavor.ops;
  const Params& params = planned.scenario.params;
  const auto cpus = static_cast<unsigned>(context.topology.pus().size());
  const auto seats =
      harness::place(context.topology, params.place, Roles::of(ops, params, cpus).seats(), planned.seed);
  return {ops,
          params,
          planned.seed,
          static_cast<uint64_t>(planned.duration_s * 1e9),
          planned.stop_latency_ns,
          start_ns,
          dir,
          seats,
          context.topology.pus(),
          board};
}

void supervise(const PlannedScenario& planned, const fs::path& dir, RunContext& context,
               Supervisor& supervisor, uint64_t start_ns) {
  supervisor.run(session_plan(planned, dir, context, supervisor.board(), start_ns));
}

bool noted_failure(const fs::path& dir) {
  for (const std::string& line : harness::whole_lines(dir / "events.jsonl")) {
    const Json event = Json::parse(line, nullptr, false);
    if (event.is_object() && event.value("event", "") == "failure") return true;
  }
  return false;
}

// A broken twin runs for a moment: a torture that does not catch it would not catch a real bug either. Its
// files stay only if it was missed.
std::string run_canary(const PlannedScenario& planned, const fs::path& dir, RunContext& context) {
  const std::string& twin = planned.flavor.canary;
  if (twin.empty()) return "none";
  if (const auto known = context.canaries.find(twin); known != context.canaries.end()) return known->second;
  PlannedScenario canary = planned;
  canary.flavor = find_flavor(twin);
  canary.scenario.params.torture_type = twin;
  canary.duration_s = kCanaryS;
  canary.stop_latency_ns = 0;  // it is caught by a check, or not at all
  const fs::path canary_dir = dir / "canary";
  fs::create_directory(canary_dir);
  const uint64_t start_ns = harness::now_ns();
  {
    Supervisor supervisor(canary_dir, context, start_ns);
    supervise(canary, canary_dir, context, supervisor, start_ns);
  }
  const bool caught = noted_failure(canary_dir);
  if (caught) fs::remove_all(canary_dir);
  return context.canaries[twin] = caught ? "caught" : "missed";
}

}  // namespace

void run_scenario(const PlannedScenario& planned, const fs::path& dir, RunContext& context) {
  std::error_code error;
  fs::create_directory(dir, error);
  if (error) throw harness::Broken(fmt::format("cannot make {}: {}", dir.string(), error.message()));
  write_before_start(planned, dir);
  const uint64_t start_ns = harness::now_ns();
  Supervisor supervisor(dir, context, start_ns);
  supervisor.events().say("start", start_fields(planned, context.plan));
  if (const std::string why = cannot_run(*planned.flavor.ops, planned.scenario.params); !why.empty()) {
    supervisor.events().say("skipped", {{"reason", why}});
    return;
  }
  const std::string canary = run_canary(planned, dir, context);
  supervisor.events().say("canary", {{"flavor", planned.flavor.canary}, {"result", canary}});
  if (context.stop.noted()) {
    supervisor.events().say("stopped", {{"signal", harness::signal_name(context.stop.noted())}});
    return;
  }
  context.progress.begin(planned.dir, planned.flavor.ops->name, planned.duration_s, dir);
  supervise(planned, dir, context, supervisor, start_ns);
}

}  // namespace torture
