#include "torture/kernel/nmi_session.hpp"

#include <fmt/format.h>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/record/files.hpp"
#include "torture/kernel/nmi_step.hpp"
#include "torture/threads/events.hpp"

namespace torture {
namespace {

using Json = nlohmann::ordered_json;

/// Those that claim to bear a post from an NMI.
const std::vector<std::string> kClaim = {"defer_irqoff"};

void prove_that_a_deadlock_is_seen(const std::function<void()>& beat) {
  const NmiCase direct{NmiState::kIdle, nmi_readers()[0], NmiPath::kPost, "direct"};
  if (const NmiOutcome outcome = nmi_step(direct, beat); outcome.check != "self_deadlock")
    throw harness::Broken(
        fmt::format("{} must deadlock and was not seen to: stepping cannot be trusted here", direct.name()));
}

Json counts(uint64_t cases, uint64_t places) {
  // In each place at least one section was read and one grace period waited for.
  return {{"reads", places}, {"grace_periods", places}, {"nmi_cases", cases}, {"nmi_places", places}};
}

void step_all(const SessionPlan& plan, Events& events) {
  harness::Appender console(plan.dir / "console.log");
  harness::ProgressBoard::Slot& heartbeat = plan.board.claim("stepper");
  const auto beat = [&heartbeat] { heartbeat.beat(); };
  prove_that_a_deadlock_is_seen(beat);
  events.say("torture", {{"left_out", Json::array()}, {"injectors", Json::array()}});
  const uint64_t begin = harness::now_ns();
  uint64_t cases = 0, places = 0;
  Json failures = Json::object();
  for (const NmiCase& one : nmi_cases(kClaim)) {
    if (plan.board.stop_requested()) break;
    const NmiOutcome outcome = nmi_step(one, beat);
    ++cases;
    places += outcome.places;
    console.line(fmt::format("{}: an NMI before each of {} instructions{}", one.name(), outcome.places,
                             outcome.check.empty() ? "" : ", then FAILURE: " + outcome.message));
    if (outcome.check.empty()) continue;
    events.say("failure", {{"check", outcome.check},
                           {"message", outcome.message},
                           {"evidence", "one try in a fresh domain, in a process of its own"}});
    failures[outcome.check] = failures.value(outcome.check, 0) + 1;
  }
  const double took_s = static_cast<double>(harness::now_ns() - begin) / 1e9;
  events.say("end", {{"finish", plan.board.stop_requested() ? "asked" : "all"},
                     {"failures", failures},
                     {"counts", counts(cases, places)},
                     {"torture_s", took_s}});
  heartbeat.rest();
}

}  // namespace

bool steps_nmis(const Params& params) {
  if (params.session == "nmi-step") return true;
  if (params.session == "torture") return false;
  throw harness::UsageError("session '" + params.session + "' is unknown; choose torture or nmi-step");
}

void run_nmi_session(const SessionPlan& plan) {
  run_guarded(plan, "the stepper", [&plan](Events& events) { step_all(plan, events); });
}

}  // namespace torture
