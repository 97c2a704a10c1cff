#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "harness/topology/placement.hpp"
#include "torture/cli/commands.hpp"
#include "torture/kernel/context.hpp"
#include "torture/kernel/strategies.hpp"
#include "torture/kernel/tracepoint.hpp"
#include "torture/oracle/verdict.hpp"

namespace torture {
namespace {

struct Item {
  std::string name, trips, sentence;
};
using Items = std::vector<Item>;

Items scenario_items() {
  Items items;
  for (const std::string& name : scenario_names()) {
    const Scenario scenario = load_scenario(name);
    items.push_back({name, scenario.demonstrates, scenario.description});
  }
  return items;
}

Items set_items() {
  Items items;
  for (const ScenarioSet& set : load_sets()) {
    std::string members;
    for (const std::string& member : set.members) members += (members.empty() ? "" : " ") + member;
    items.push_back({set.name, "", members});
  }
  return items;
}

Items flavor_items(const Ops* extra) {
  Items items;
  if (extra) items.push_back({extra->name, "", "linked into this program"});
  for (const Flavor& flavor : flavors()) items.push_back({flavor.ops->name, flavor.trips, flavor.sentence});
  return items;
}

Items placement_items() {
  Items items;
  for (const auto& [name, sentence] : harness::placements()) items.push_back({name, "", sentence});
  items.push_back(
      {"readers@numa:0 updaters@numa:1", "", "roles on parts of the machine: numa, core, package or pu"});
  return items;
}

// A bare duration is seconds here, unlike that of --duration.
const char* unit_of(const Knob& knob, const std::string& value) {
  if (knob.unit == Knob::Unit::kBytes) return " bytes";
  const bool bare = value.find_first_not_of("0123456789") == std::string::npos && value != "0";
  return knob.unit == Knob::Unit::kDuration && bare ? "s" : "";
}

Items param_items() {
  Items items;
  for (const Knob& knob : knobs()) {
    const std::string value = param_text(Params{}, knob);
    const bool takes_time = knob.unit == Knob::Unit::kDuration;
    items.push_back({knob.name, "", fmt::format("{} (default {}{}{})", knob.sentence, value, unit_of(knob, value),
                                                takes_time ? "; takes 20us 20ms 3s, a bare number is seconds" : "")});
  }
  return items;
}

Items check_items() {
  Items items;
  for (const auto& [name, sentence] : checks()) items.push_back({name, "", sentence});
  return items;
}

Items context_items() {
  Items items;
  for (const kernel::Context& context : kernel::contexts()) items.push_back({context.name, "", context.sentence});
  items.push_back({"tp:PATTERN", "", "at every tracepoint that the pattern names; proved, not run"});
  return items;
}

Items tracepoint_items() {
  Items items;
  for (const kernel::Tracepoint* point : kernel::tracepoints())
    items.push_back({point->name(), "", where_it_stands(*point)});
  return items;
}

Items strategy_items() {
  Items items;
  for (const auto& [name, sentence] : strategies()) items.push_back({name, "", sentence});
  return items;
}

Items items_of(const std::string& what, const Ops* extra) {
  if (what == "scenarios") return scenario_items();
  if (what == "sets") return set_items();
  if (what == "flavors") return flavor_items(extra);
  if (what == "contexts") return context_items();
  if (what == "strategies") return strategy_items();
  if (what == "tracepoints") return tracepoint_items();
  if (what == "placements") return placement_items();
  if (what == "params") return param_items();
  if (what == "checks") return check_items();
  const std::vector<std::string> kinds = {"scenarios",  "sets",        "flavors",    "contexts",
                                          "strategies", "tracepoints", "placements", "params",
                                          "checks"};
  throw harness::UsageError(
      fmt::format("cannot list '{}'{} ({})", what,
                  harness::did_you_mean(what, kinds), fmt::join(kinds, " ")));
}

}  // namespace

int list_command(const std::string& what, bool json, const Ops* extra) {
  const Items items = items_of(what, extra);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Item& item : items) {
    if (json) {
      nlohmann::ordered_json entry = {{"name", item.name}, {"sentence", item.sentence}};
      if (!item.trips.empty()) entry["trips"] = item.trips;
      list.push_back(entry);
    } else {
      fmt::print("{}\t{}{}\n", item.name, item.trips.empty() ? "" : item.trips + "\t", item.sentence);
    }
  }
  if (json) fmt::print("{}\n", list.dump(2));
  return 0;
}

}  // namespace torture
