// What a run shall do: chosen scenarios with merged parameters, time, seeds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/topology/placement.hpp"
#include "torture/cli/scenario_file.hpp"
#include "torture/flavors/registry.hpp"

namespace torture {

/// What stands on the command line of `run`.
struct RunOptions {
  std::vector<std::string> scenarios;  ///< SCENARIO, SET, N*SCENARIO
  bool all = false, dry_run = false, kernel_layout = false, chaos = false;
  unsigned jobs = 1;  ///< Scenarios at a time; not 0.
  std::string duration, flavor, seed, place, plugin, fail_on;
  std::optional<std::string> stop_latency;
  std::vector<std::string> set;  ///< key=value
  std::optional<std::filesystem::path> out;
  std::vector<std::string> argv;  ///< as given, for the manifest and the rerun command
};

/// One scenario of a plan.
struct PlannedScenario {
  std::string dir;  ///< SRCU-N, SRCU-N.2
  Scenario scenario;
  Flavor flavor;
  uint64_t seed;
  double duration_s;
  unsigned part;                ///< Of the machine, which is divided among the jobs.
  std::optional<double> quota;  ///< CPUs' worth of time that its job is granted; empty: no limit.
  uint64_t stop_latency_ns;  ///< 0: no grace period is too slow.
  bool chaos = false;        ///< Code under test is made to wait at its atomic accesses.
};

struct Plan {
  std::string name;  ///< For the run directory.
  uint64_t seed = 0;
  unsigned jobs = 1;
  bool kernel_layout = false, chaos = false;
  double duration_s = 0;  ///< Of the whole call.
  bool fail_on_near_miss = false;
  double fail_on_latency_ns = 0;
  std::vector<PlannedScenario> scenarios;
};

/// Expands, merges and checks everything; creates nothing. The jobs share the `quota`, if there is one.
/// `extra` is a flavour that the program brings itself (srcutorture_main). UsageError, naming the cure, for
/// all that is wrong.
Plan make_plan(const RunOptions& options, std::optional<double> quota, const Ops* extra);

/// How many of its threads make progress at once on these PUs; default thread counts follow it.
unsigned cpus_of(const PlannedScenario& planned, const harness::Topology& pus);

/// Where its threads run on these PUs. UsageError if its placement cannot be had there.
std::vector<harness::Seat> seats_of(const PlannedScenario& planned, const harness::Topology& pus);

/// `argv` as a shell takes it, without what is used once: --out and --seed with their values.
std::string rerun_words(const std::vector<std::string>& argv);

/// The command that does the same again, seed and all.
std::string rerun_command(const RunOptions& options, const Plan& plan);

}  // namespace torture
