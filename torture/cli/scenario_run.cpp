#include "torture/cli/scenario_run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/errors.hpp"
#include "harness/record/files.hpp"
#include "torture/cli/chaos.hpp"
#include "torture/cli/kernel_layout.hpp"
#include "torture/oracle/judge.hpp"
#include "torture/threads/session.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr double kCanaryS = 4;  // a canary ends as soon as it is caught, most in well under a second

fs::path made(const fs::path& dir) {
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) throw harness::Broken(fmt::format("cannot make {}: {}", dir.string(), error.message()));
  return dir;
}

/// Why this scenario is left out; empty if it is not.
std::string why_not(const PlannedScenario& planned) {
  const std::string why = cannot_run(*planned.flavor.ops, planned.scenario.params);
  return why.empty() ? why_no_chaos(planned) : why;
}

Json start_fields(const PlannedScenario& planned, const Plan& plan) {
  const Params& params = planned.scenario.params;
  const Ops& ops = *planned.flavor.ops;
  Json fields = {{"scenario", planned.scenario.name},
                 {"flavor", ops.name},
                 {"seed", fmt::format("0x{:x}", planned.seed)},
                 {"duration_s", planned.duration_s},
                 {"gp_seq_exact", (ops.facts & SRCUTORTURE_GP_SEQ_EXACT) != 0},
                 {"least", {{"grace_periods", params.least_gps}, {"reads", params.least_reads},
                            {"overlapping_reads", params.least_overlaps}}}};
  if (planned.chaos) fields["chaos"] = true;
  if (plan.fail_on_near_miss) fields["fail_on_near_miss"] = true;
  if (planned.stop_latency_ns > 0) fields["stop_latency_ns"] = planned.stop_latency_ns;
  if (plan.fail_on_latency_ns > 0) fields["fail_on_latency_ns"] = plan.fail_on_latency_ns;
  return fields;
}

void write_before_start(const PlannedScenario& planned, const fs::path& dir) {
  harness::write_once(dir / "scenario.toml", scenario_toml(planned.scenario));
  harness::write_once(dir / "seed.txt", fmt::format("0x{:x}\n", planned.seed));
}

/// The first event of that name; null if there is none.
Json noted(const fs::path& dir, const char* name) {
  for (const std::string& line : harness::whole_lines(dir / "events.jsonl")) {
    const Json event = Json::parse(line, nullptr, false);
    if (event.is_object() && event.value("event", "") == name) return event;
  }
  return nullptr;
}

/// What the events of the real torture say of its canary. Only the check that the twin is broken for counts:
/// any other came by chance, or by a fault in the torture.
Json canary_fields(const Judgement& judged, const Flavor& twin, bool stopped) {
  const auto named = [&twin](const Failure& f) { return f.check == twin.trips; };
  const bool caught = std::ranges::any_of(judged.failures, named);
  Json fields = {{"flavor", twin.ops->name}, {"result", caught ? "caught" : stopped ? "stopped" : "missed"}};
  if (caught || stopped) return fields;
  fields["trips"] = twin.trips;
  if (!judged.failures.empty()) fields["instead"] = judged.failures.front().check;
  return fields;
}

}  // namespace

// A broken twin runs for a moment: a torture that does not catch it would not catch a real bug either. Its
// files stay only if it was missed.
void run_canary(const PlannedScenario& planned, RunContext& context) {
  const std::string& twin = planned.flavor.canary;
  if (twin.empty() || context.canaries.contains(twin) || context.unfit.contains(twin)) return;
  if (!why_not(planned).empty()) return;
  PlannedScenario canary = planned;
  canary.flavor = find_flavor(twin);
  Params& params = canary.scenario.params;
  params.torture_type = twin;
  params.locked_callers = params.prove_locking = 0;  // those are for SRCU itself
  // The twin is broken in one kind of grace period, which the scenario may not ask for, nor the twin have what it asks for.
  params.gp_sync = params.gp_exp = params.gp_poll = params.gp_cond = params.gp_normal = 0;
  canary.duration_s = kCanaryS;
  canary.stop_latency_ns = 0;  // it is caught by a check, or not at all
  const fs::path dir = made(context.dir_of(planned) / "canary");
  try {
    Supervisor supervisor(dir, context.stop);
    supervisor.start(canary, context.pus_of(planned));
    while (supervisor.step()) Supervisor::wait({&supervisor});
    if (const Json broken = noted(dir, "broken"); broken.is_object())
      throw harness::Broken(broken.value("message", "the canary could not run"));
  } catch (const harness::Broken& broken) {
    context.unfit[twin] = broken.what();
    return;
  }
  context.canaries[twin] = canary_fields(judge_scenario(dir), canary.flavor, context.stop.noted() != 0);
  if (context.canaries[twin]["result"] != "missed") fs::remove_all(dir);
}

ScenarioRun::ScenarioRun(const PlannedScenario& planned, RunContext& context)
    : planned_(planned), supervisor_(made(context.dir_of(planned)), context.stop), runs_(false) {
  write_before_start(planned, context.dir_of(planned));
  supervisor_.events().say("start", start_fields(planned, context.plan));
  try {
    runs_ = begin(context);
  } catch (const harness::Broken& broken) {  // no canary, or no process for the child
    supervisor_.events().say("broken", {{"message", broken.what()}});
  }
}

bool ScenarioRun::begin(RunContext& context) {
  if (const std::string why = why_not(planned_); !why.empty()) {
    supervisor_.events().say("skipped", {{"reason", why}});
    return false;
  }
  const std::string& twin = planned_.flavor.canary;
  if (const auto why = context.unfit.find(twin); why != context.unfit.end())
    throw harness::Broken(why->second);
  supervisor_.events().say(
      "canary", twin.empty() ? Json({{"flavor", twin}, {"result", "none"}}) : context.canaries.at(twin));
  const fs::path dir = context.dir_of(planned_);
  if (context.plan.kernel_layout) kernel_layout::begin_scenario(dir, planned_);
  context.progress.begin(planned_.dir, planned_.flavor.ops->name, planned_.duration_s, dir);
  supervisor_.start(planned_, context.pus_of(planned_), context.limits.notes);
  return true;
}

bool ScenarioRun::step() { return runs_ && supervisor_.step(); }

}  // namespace torture
