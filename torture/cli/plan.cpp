#include "torture/cli/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>

#include "harness/base/duration.hpp"
#include "harness/base/errors.hpp"
#include "harness/base/random.hpp"
#include "harness/topology/quota.hpp"
#include "torture/cli/chaos.hpp"
#include "torture/kernel/laboratory.hpp"
#include "torture/kernel/nmi_session.hpp"
#include "torture/kernel/strategies.hpp"
#include "torture/threads/cast.hpp"
#include "torture/threads/phase.hpp"
#include "torture/threads/station.hpp"

namespace torture {
namespace {

using harness::UsageError;

uint64_t parse_seed(const std::string& text) {
  if (text.empty()) return harness::fresh_seed();
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  uint64_t seed = 0;
  const char* begin = text.data() + (hex ? 2 : 0);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, seed, hex ? 16 : 10);
  if (error != std::errc{} || stop != end || begin == end) {
    throw UsageError(fmt::format("--seed {} is no number of 64 bits; write 0x1234", text));
  }
  return seed;
}

// "3*NAME" -> NAME three times.
std::vector<std::string> repeated(const std::string& word) {
  const size_t star = word.find('*');
  if (star == std::string::npos) return {word};
  unsigned count = 0;
  const auto [stop, error] = std::from_chars(word.data(), word.data() + star, count);
  if (error != std::errc{} || stop != word.data() + star || count == 0 || count > 1000) {
    throw UsageError(fmt::format("'{}': write N*SCENARIO with N from 1 to 1000", word));
  }
  return std::vector<std::string>(count, word.substr(star + 1));
}

std::vector<std::string> expand(const RunOptions& options, bool one_flavor) {
  std::vector<std::string> words = options.scenarios;
  if (options.all) {
    for (const std::string& name : scenario_names())
      if (load_scenario(name).demonstrates.empty()) words.push_back(name);
  }
  if (words.empty()) words.emplace_back(one_flavor ? "basic" : "smoke");
  const std::vector<ScenarioSet> sets = load_sets();
  std::vector<std::string> names;
  for (const std::string& word : words) {
    for (const std::string& name : repeated(word)) {
      const auto set = std::ranges::find(sets, name, &ScenarioSet::name);
      if (set == sets.end()) {
        names.push_back(name);
        continue;
      }
      for (const std::string& member : set->members) {
        const auto copies = repeated(member);
        names.insert(names.end(), copies.begin(), copies.end());
      }
    }
  }
  return names;
}

// A word that no scenario file's reader knows to be wrong. Where it stands in the file, the message begins with its place.
template <class Use>
auto with_place(const Scenario& scenario, const char* key, const Use& use) {
  try {
    return use();
  } catch (const UsageError& error) {
    const auto place = scenario.places.find(key);
    if (place == scenario.places.end()) throw;
    throw UsageError(fmt::format("{}: {}: {}", place->second, key, error.what()));
  }
}

void apply_settings(Scenario& scenario, const RunOptions& options) {
  Params& params = scenario.params;
  for (const std::string& setting : options.set) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) throw UsageError(fmt::format("--set {}: write key=value", setting));
    set_param(params, setting.substr(0, equals), setting.substr(equals + 1));
    scenario.places.erase(setting.substr(0, equals));
  }
  if (!options.place.empty()) {
    params.place = options.place;
    scenario.places.erase("place");
  }
  (void)with_place(scenario, "session", [&] { return steps_nmis(params); });
  (void)with_place(scenario, "nmi_strategies", [&] { return stepped_cases(params); });
  with_place(scenario, "strategy", [&] { check_strategy(params.strategy); });
  if (!bears_signals(params.strategy)) params.nmi_calls = 0;
  with_place(scenario, "locked_contexts", [&] { check_locked_contexts(params); });
  with_place(scenario, "srcu_locks", [&] { check_srcu_locks(params); });
  (void)with_place(scenario, "workload", [&] { return Shape::of(params.workload); });
  (void)with_place(scenario, "phases", [&] { return parse_phases(params.phases, 2); });
}

double duration_s(const char* option, const std::string& text) {
  try {
    return harness::parse_duration_s(text);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", option, error.what()));
  }
}

void parse_fail_on(const std::string& words, Plan& plan) {
  std::istringstream in(words);
  for (std::string word; std::getline(in, word, ',');) {
    if (word == "near_miss") {
      plan.fail_on_near_miss = true;
    } else if (word.starts_with("latency=")) {
      plan.fail_on_latency_ns = duration_s("--fail-on latency", word.substr(8)) * 1e9;
    } else {
      throw UsageError(
          fmt::format("--fail-on {}: write near_miss, latency=50ms, or both with a comma", word));
    }
  }
}

uint64_t parse_stop_latency(const std::optional<std::string>& text) {
  if (!text) return 0;
  try {
    const double seconds = harness::parse_duration_s(*text);
    if (seconds >= 1e-3 && seconds <= 86400) return static_cast<uint64_t>(std::llround(seconds * 1e9));
  } catch (const UsageError&) {
  }
  throw UsageError(fmt::format("--stop-latency '{}': write a duration from 1ms to 1d, as 50ms or 2s", *text));
}

Flavor flavor_of(const RunOptions& options, const Scenario& scenario, const Ops* plugin) {
  const Params& params = scenario.params;
  const bool steps = steps_nmis(params);
  if (steps && (plugin || !options.flavor.empty()))
    throw UsageError(
        "session nmi-step knows only this project's SRCU: leave --flavor and --plugin out, or name other "
        "scenarios");
  if (plugin && (options.flavor.empty() || options.flavor == plugin->name)) {
    return {plugin, "", "brought from outside", "busted_no_wait"};
  }
  Flavor flavor = with_place(scenario, "torture_type", [&]() -> Flavor { return find_flavor(params.torture_type); });
  if (steps) flavor.canary.clear();  // it has one of its own
  return flavor;
}

// A plugin that would not be run is not what was meant.
void check_brought(const RunOptions& options, const Ops& brought) {
  if (!options.plugin.empty() && !options.flavor.empty() && options.flavor != brought.name)
    throw UsageError(fmt::format("--plugin {} brings flavour '{}', but --flavor {} asks for another: leave one of them out",
                                 options.plugin, brought.name, options.flavor));
}

// A set may have scenarios that leave the strategy out; not all of them.
void refuse_strategy_for_nobody(const Plan& plan) {
  const auto uses = [](const PlannedScenario& one) {
    const Params& params = one.scenario.params;
    return params.strategy == Params{}.strategy || (takes_strategy(*one.flavor.ops) && !steps_nmis(params));
  };
  if (plan.scenarios.empty() || std::ranges::any_of(plan.scenarios, uses)) return;
  throw UsageError(fmt::format("strategy={} is for this project's SRCU, which nothing here tortures (session nmi-step takes "
                               "nmi_strategies)", plan.scenarios.at(0).scenario.params.strategy));
}

// How many scenarios the busiest job runs, one after the other: the whole call's time is divided by it.
double rounds(size_t scenarios, unsigned jobs) {
  return std::ceil(static_cast<double>(scenarios) / static_cast<double>(jobs));
}

std::string run_name(const RunOptions& options, const std::vector<std::string>& names) {
  if (options.scenarios.size() == 1 && options.scenarios[0].find('*') == std::string::npos)
    return options.scenarios[0];
  if (options.scenarios.empty() && !options.all) return names.size() == 1 ? names[0] : "smoke";
  return options.all ? "all" : "several";
}

}  // namespace

Plan make_plan(const RunOptions& options, std::optional<double> quota, const Ops* extra) {
  const Ops* plugin = options.plugin.empty() ? extra : &load_for(options);
  if (plugin) check_brought(options, *plugin);
  if (!options.flavor.empty() && !(plugin && options.flavor == plugin->name))
    (void)find_flavor(options.flavor);
  const std::vector<std::string> names = expand(options, plugin || !options.flavor.empty());
  Plan plan{.name = run_name(options, names),
            .seed = parse_seed(options.seed),
            .jobs = options.jobs,
            .kernel_layout = options.kernel_layout,
            .chaos = options.chaos};
  plan.duration_s = options.duration.empty() ? 10.0 * static_cast<double>(names.size())
                                             : duration_s("--duration", options.duration);
  parse_fail_on(options.fail_on, plan);
  const uint64_t stop_latency_ns = parse_stop_latency(options.stop_latency);
  std::map<std::string, unsigned> seen;
  for (const std::string& name : names) {
    PlannedScenario planned{.scenario = load_scenario(name)};
    if (!options.flavor.empty()) {
      planned.scenario.params.torture_type = options.flavor;
      planned.scenario.places.erase("torture_type");
    }
    apply_settings(planned.scenario, options);
    planned.flavor = flavor_of(options, planned.scenario, plugin);
    static_cast<void>(laboratory(planned.scenario.params, takes_strategy(*planned.flavor.ops), {}));
    planned.scenario.params.torture_type = planned.flavor.ops->name;
    const unsigned count = ++seen[name];
    planned.dir = count == 1 ? name : fmt::format("{}.{}", name, count);
    // Every scenario has its own seed, which depends on the run's seed and its own place alone.
    planned.seed = harness::Random(plan.seed, "scenario", plan.scenarios.size()).next();
    planned.part = static_cast<unsigned>(plan.scenarios.size()) % plan.jobs;
    if (quota) planned.quota = *quota / plan.jobs;
    planned.duration_s = plan.duration_s / rounds(names.size(), plan.jobs);
    planned.stop_latency_ns = stop_latency_ns;
    planned.chaos = plan.chaos;
    plan.scenarios.push_back(std::move(planned));
  }
  refuse_strategy_for_nobody(plan);
  refuse_chaos_for_nobody(plan);
  return plan;
}

unsigned cpus_of(const PlannedScenario& planned, const harness::Topology& pus) {
  return harness::cpus_at_once(pus.pus().size(), planned.quota);
}

std::vector<harness::Seat> seats_of(const PlannedScenario& planned, const harness::Topology& pus) {
  const Roles roles = Roles::of(*planned.flavor.ops, planned.scenario.params, cpus_of(planned, pus));
  return with_place(planned.scenario, "place", [&] {
    return harness::place(pus, planned.scenario.params.place, roles.seats(), planned.seed);
  });
}

namespace {

std::string quoted(const std::string& word) {
  if (!word.empty() &&
      word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=:,@%+") ==
          std::string::npos) {
    return word;
  }
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string rerun_words(const std::vector<std::string>& argv) {
  std::string command;
  bool skip_value = false;
  for (const std::string& word : argv) {
    if (skip_value) {
      skip_value = false;
      continue;
    }
    // A directory is used once; the seed is written down below.
    if (word == "--out" || word == "--seed") {
      skip_value = true;
      continue;
    }
    if (word.starts_with("--out=") || word.starts_with("--seed=")) continue;
    if (word == "--dry-run" || word.starts_with("--dry-run=")) continue;  // the command is the one that runs
    if (!command.empty()) command += ' ';
    command += quoted(word);
  }
  return command;
}

// The seed is an option, and what stands behind a "--" is none.
std::string rerun_command(const RunOptions& options, const Plan& plan) {
  const auto end = std::ranges::find(options.argv, "--");
  const std::string names = rerun_words({end, options.argv.end()});
  return fmt::format("{} --seed 0x{:x}{}{}", rerun_words({options.argv.begin(), end}), plan.seed, names.empty() ? "" : " ", names);
}

}  // namespace torture
