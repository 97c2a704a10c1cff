#include "torture/cli/kernel_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/record/machine.hpp"

namespace torture::kernel_layout {
namespace {

namespace fs = std::filesystem;
using harness::write_once;

// As a shell tells it, which has run qemu for the kernel's scripts: 137 is SIGKILL.
int shell_status(const harness::Ended& ended) {
  return ended.exit_code ? *ended.exit_code : 128 + ended.signal;
}

}  // namespace

void begin_run(const fs::path& dir, harness::Appender& log, const std::string& command) {
  // Which script sums a scenario up: kvm-recheck-rcu.sh.
  write_once(dir / "torture_suite", "rcu\n");
  // Shown as the heading; the option says that nothing is built for the run.
  log.line(fmt::format("{} (as kvm.sh --trust-make: built before)", command));
}

void begin_scenario(const fs::path& scenario_dir, const PlannedScenario& planned) {
  // By this file a scenario's directory is found.
  write_once(scenario_dir / "Make.defconfig.out",
             "no kernel is configured; the parameters are in scenario.toml\n");
  // What was asked for, and what came of it, which are compared; the input is searched for the kernel's own
  // sanitizer. The lines become a shell script there: plain words only.
  for (const char* name : {"ConfigFragment", "ConfigFragment.input", ".config"})
    write_once(scenario_dir / name, "CONFIG_SRCUTORTURE=y\n");
  // Searched for CC, and for the compiler's complaints.
  const auto build = harness::machine_facts()["build"];
  write_once(scenario_dir / "Make.out",
             fmt::format("CC srcutorture ({}, {}, git {})\n", build.value("compiler", "?"),
                         build.value("type", "?"), build.value("git", "?")));
  // One line, from which the rate of grace periods takes its whole seconds, not 0.
  write_once(
      scenario_dir / "qemu-cmd",
      fmt::format("no qemu, a child process: {} rcutorture.shutdown_secs={} rcutorture.torture_type={}\n",
                  planned.scenario.name, std::max(1L, std::lround(planned.duration_s)),
                  planned.flavor.ops->name));
}

void end_scenario(const fs::path& scenario_dir, const harness::Ended& ended) {
  // A number alone; other than 0 and 137, what qemu said is shown.
  write_once(scenario_dir / "qemu-retval", fmt::format("{}\n", shell_status(ended)));
  write_once(scenario_dir / "qemu-output", fmt::format("the tortured process {}\n", ended.words()));
}

}  // namespace torture::kernel_layout
