#include "torture/kernel/nmi_session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/record/files.hpp"
#include "torture/kernel/nmi_step.hpp"
#include "torture/kernel/strategies.hpp"
#include "torture/threads/events.hpp"

namespace torture {
namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned kCasesACpu = 3;  // a case waits two thirds of its time, for grace periods

// The default strategy in all cases. Of each other the posts and drains of an idle domain, whose path takes
// every lock that a post can take.
std::vector<NmiCase> some_cases() {
  const std::string whole = Params{}.strategy;
  std::vector<NmiCase> cases = nmi_cases({whole});
  std::vector<std::string> others = strategies_that_bear_nmis();
  std::erase(others, whole);
  for (const NmiCase& one : nmi_cases(others))
    if (one.state == NmiState::kIdle && one.path != NmiPath::kRead &&
        one.readers.name == nmi_readers()[0].name)
      cases.push_back(one);
  return cases;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

void prove_that_a_deadlock_is_seen(const std::function<bool()>& go_on) {
  const NmiCase direct{NmiState::kIdle, nmi_readers()[0], NmiPath::kPost, "direct"};
  nmi_step({direct}, 1, go_on, [](const NmiCase& one, const NmiOutcome& outcome) {
    if (outcome.check != "self_deadlock")
      throw harness::Broken(
          fmt::format("{} must deadlock and was not seen to: stepping cannot be trusted here", one.name()));
  });
}

Json counts(uint64_t cases, uint64_t places) {
  // In each place at least one section was read and one grace period waited for.
  return {{"reads", places},
          {"overlapping_reads", places},
          {"grace_periods", places},
          {"nmi_cases", cases},
          {"nmi_places", places}};
}

void step_all(const SessionPlan& plan, Events& events) {
  harness::Appender console(plan.dir / "console.log");
  harness::ProgressBoard::Slot& heartbeat = plan.board.claim("stepper");
  const auto go_on = [&] {
    heartbeat.beat();
    return !plan.board.stop_requested();
  };
  prove_that_a_deadlock_is_seen(go_on);
  events.say("torture", {{"left_out", Json::array()}, {"injectors", Json::array()}});
  const uint64_t begin = harness::now_ns();
  uint64_t cases = 0, places = 0;
  Json failures = Json::object();
  nmi_step(
      stepped_cases(plan.params), kCasesACpu * plan.cpus, go_on,
      [&](const NmiCase& one, const NmiOutcome& outcome) {
        ++cases;
        places += outcome.places;
        console.line(fmt::format("{}: an NMI before each of {} instructions{}", one.name(), outcome.places,
                                 outcome.check.empty() ? "" : ", then FAILURE: " + outcome.message));
        if (outcome.check.empty()) return;
        events.say("failure", {{"check", outcome.check},
                               {"message", outcome.message},
                               {"evidence", "one try in a fresh domain, in a process of its own"}});
        failures[outcome.check] = failures.value(outcome.check, 0) + 1;
      });
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

std::vector<NmiCase> stepped_cases(const Params& params) {
  if (params.nmi_strategies == "some") return some_cases();
  const std::vector<std::string> claim = strategies_that_bear_nmis();
  if (params.nmi_strategies == "all") return nmi_cases(claim);
  const std::vector<std::string> chosen = words(params.nmi_strategies);
  for (const std::string& name : chosen) {
    check_strategy(name);
    if (std::ranges::find(claim, name) == claim.end())
      throw harness::UsageError(fmt::format("nmi_strategies: {} does not claim to bear NMIs; these do: {}",
                                            name, fmt::join(claim, " ")));
  }
  if (chosen.empty()) throw harness::UsageError("nmi_strategies names none; write some, all, or names");
  return nmi_cases(chosen);
}

void run_nmi_session(const SessionPlan& plan) {
  run_guarded(plan, "the stepper", [&plan](Events& events) { step_all(plan, events); });
}

}  // namespace torture
