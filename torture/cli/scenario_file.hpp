// Scenarios and sets as TOML files.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "torture/threads/params.hpp"

namespace torture {

/// One scenario: its parameters and what it is for.
struct Scenario {
  std::string name;
  std::string description;
  std::string demonstrates;  ///< The check that fails, where a known bug is shown; then --all leaves it out.
  Params params;
  std::map<std::string, std::string> places{};  ///< Key -> where its value stands: "file:line:column".
};

/// Where scenarios are found: <prefix>/share/srcutorture beside an installed program, else the source tree.
std::filesystem::path scenario_dir();

/// Names of all scenarios, sorted.
std::vector<std::string> scenario_names();

/// Reads NAME.toml. UsageError: unknown name with the nearest ones; bad TOML or key with file, line and
/// column.
Scenario load_scenario(const std::string& name);

/// Reads one file, whatever its place.
Scenario parse_scenario(const std::filesystem::path& file);

/// A set's name and its members, which may be "3*NAME".
struct ScenarioSet {
  std::string name;
  std::vector<std::string> members;
};
std::vector<ScenarioSet> load_sets();

/// TOML text with every parameter, which parse_scenario reads back.
std::string scenario_toml(const Scenario& scenario);

}  // namespace torture
