// One planned scenario, run in a supervised child.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "harness/supervise/stop_signals.hpp"
#include "harness/topology/topology.hpp"
#include "torture/cli/plan.hpp"
#include "torture/cli/progress.hpp"

namespace torture {

/// What the scenarios of a run share.
struct RunContext {
  const Plan& plan;
  const harness::Topology& topology;
  const harness::StopSignals& stop;
  Progress& progress;
  std::map<std::string, std::string> canaries{};  ///< Flavour -> "caught" or "missed": each runs once a run.
};

/// Runs it in `dir`, which is made, and leaves there all but the verdict. Whatever the child does, this
/// returns; Broken only if the directory itself cannot be written.
void run_scenario(const PlannedScenario& planned, const std::filesystem::path& dir, RunContext& context);

}  // namespace torture
