// One planned scenario, run in a supervised child.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/supervise/stop_signals.hpp"
#include "harness/topology/topology.hpp"
#include "torture/cli/limits.hpp"
#include "torture/cli/plan.hpp"
#include "torture/cli/progress.hpp"
#include "torture/cli/supervisor.hpp"

namespace torture {

/// What the scenarios of a run share.
struct RunContext {
  const Plan& plan;
  std::string command;                          ///< That does the same again.
  const std::vector<harness::Topology>& parts;  ///< Of the machine: one for each job.
  const Limits& limits;
  std::filesystem::path dir;
  const harness::StopSignals& stop;
  Progress& progress;
  std::map<std::string, nlohmann::ordered_json> canaries{};  ///< Flavour -> its event: each runs once a run.
  std::map<std::string, std::string> unfit{};     ///< Flavour -> why its canary could not run.

  std::filesystem::path dir_of(const PlannedScenario& planned) const { return dir / planned.dir; }
  const harness::Topology& pus_of(const PlannedScenario& planned) const { return parts[planned.part]; }
};

/// Runs the canary of this scenario's flavour to its end, unless that was done, or the scenario cannot run.
void run_canary(const PlannedScenario& planned, RunContext& context);

/// One scenario after its canary: leaves in its directory, which is made, all but the verdict. Whatever the
/// child does, nothing is thrown, also if there can be none; Broken only if the directory itself cannot be
/// written.
class ScenarioRun {
 public:
  /// Forks the child, unless the scenario is skipped or cannot be run.
  ScenarioRun(const PlannedScenario& planned, RunContext& context);

  const PlannedScenario& planned() const { return planned_; }
  /// For Supervisor::wait(); call step() before.
  const Supervisor& supervisor() const { return supervisor_; }

  /// Call it a few times a second; false once the scenario has ended.
  bool step();

 private:
  bool begin(RunContext& context);

  const PlannedScenario& planned_;
  Supervisor supervisor_;
  bool runs_;
};

}  // namespace torture
