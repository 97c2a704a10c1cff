#include "torture/cli/scenario_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"

#ifndef SRCUTORTURE_SCENARIOS
#error "the build gives SRCUTORTURE_SCENARIOS, the source tree's scenario folder"
#endif

extern "C" {
// Programs outside that link srcutorture::main define it; null elsewhere.
[[gnu::weak]] extern const char* const srcutorture_share_dir;
}

namespace torture {
namespace {

namespace fs = std::filesystem;

std::string at(const fs::path& file, const toml::source_region& where) {
  return fmt::format("{}:{}:{}", file.string(), where.begin.line, where.begin.column);
}

toml::table parse_toml(const fs::path& file) {
  try {
    return toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    throw harness::UsageError(fmt::format("{}: {}", at(file, error.source()), error.description()));
  }
}

std::string value_text(const toml::node& node) {
  if (const auto* word = node.as_string()) return word->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "1" : "0";
  throw harness::UsageError("takes a whole number, true, false or a word in quotes");
}

}  // namespace

fs::path scenario_dir() {
  if (&srcutorture_share_dir) return srcutorture_share_dir;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / "share" / "srcutorture";
  return !error && fs::exists(installed / "sets.toml") ? installed : fs::path(SRCUTORTURE_SCENARIOS);
}

std::vector<std::string> scenario_names() {
  const fs::path dir = scenario_dir();
  if (!fs::is_directory(dir)) {
    throw harness::Broken(fmt::format(
        "no scenarios in {}: install srcutorture whole, or run it in its build tree", dir.string()));
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(dir)) {
    if (entry.path().extension() == ".toml" && entry.path().stem() != "sets")
      names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

Scenario load_scenario(const std::string& name) {
  auto names = scenario_names();
  if (std::ranges::find(names, name) == names.end()) {
    for (const ScenarioSet& set : load_sets()) names.push_back(set.name);  // it may be meant as one of these
    throw harness::UsageError(fmt::format("no scenario or set '{}'{} (all: srcutorture list scenarios)", name,
                                          harness::did_you_mean(name, names)));
  }
  return parse_scenario(scenario_dir() / (name + ".toml"));
}

Scenario parse_scenario(const fs::path& file) {
  Scenario scenario{.name = file.stem()};
  for (const auto& [key, node] : parse_toml(file)) {
    scenario.places[std::string(key.str())] = at(file, node.source());
    try {
      if (key.str() == "description") {
        scenario.description = value_text(node);
      } else if (key.str() == "demonstrates") {
        scenario.demonstrates = value_text(node);
      } else {
        set_param(scenario.params, std::string(key.str()), value_text(node));
      }
    } catch (const harness::UsageError& error) {
      throw harness::UsageError(fmt::format("{}: {}: {}", at(file, node.source()), key.str(), error.what()));
    }
  }
  return scenario;
}

namespace {

// "3*NAME" -> NAME.
std::string scenario_of(const std::string& member) { return member.substr(member.find('*') + 1); }

void check_members(const toml::array& members, const std::string& set, const toml::table& sets, const fs::path& file) {
  if (members.empty())
    throw harness::UsageError(fmt::format("{}: {}: a set names at least one scenario", at(file, members.source()), set));
  for (const auto& member : members) {
    const auto* word = member.as_string();
    if (!word)
      throw harness::UsageError(fmt::format("{}: {}: a set is a list of names in quotes", at(file, member.source()), set));
    if (const std::string name = scenario_of(word->get()); sets.contains(name))
      throw harness::UsageError(fmt::format("{}: {}: '{}' is a set itself; name the scenarios in it",
                                            at(file, member.source()), set, name));
  }
}

}  // namespace

std::vector<ScenarioSet> load_sets() {
  const fs::path file = scenario_dir() / "sets.toml";
  std::vector<ScenarioSet> sets;
  const toml::table table = parse_toml(file);
  for (const auto& [key, node] : table) {
    ScenarioSet set{.name = std::string(key.str())};
    const auto* members = node.as_array();
    if (!members)
      throw harness::UsageError(fmt::format("{}: a set is a list of names", at(file, node.source())));
    check_members(*members, set.name, table, file);
    for (const auto& member : *members) set.members.push_back(member.as_string()->get());
    sets.push_back(std::move(set));
  }
  return sets;
}

std::string scenario_toml(const Scenario& scenario) {
  toml::table table;
  table.insert("description", scenario.description);
  if (!scenario.demonstrates.empty()) table.insert("demonstrates", scenario.demonstrates);
  for (const Knob& knob : knobs()) {
    if (std::holds_alternative<int64_t Params::*>(knob.member) && knob.unit != Knob::Unit::kDuration) {
      table.insert(knob.name, scenario.params.*std::get<int64_t Params::*>(knob.member));
    } else {
      table.insert(knob.name, param_text(scenario.params, knob));
    }
  }
  std::ostringstream text;
  text << table << '\n';
  return text.str();
}

}  // namespace torture
