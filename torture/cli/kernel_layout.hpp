// Files beside our own by which the kernel's kvm-recheck.sh takes a run directory for one of kvm.sh.
#pragma once

#include <filesystem>
#include <string>

#include "harness/record/files.hpp"
#include "harness/supervise/child.hpp"
#include "torture/cli/plan.hpp"

namespace torture::kernel_layout {

/// For the whole run. `log` is still empty; `command` is what was called.
void begin_run(const std::filesystem::path& dir, harness::Appender& log, const std::string& command);

/// For one scenario, before its child is forked: a directory without these is not looked at.
void begin_scenario(const std::filesystem::path& scenario_dir, const PlannedScenario& planned);

/// How its child ended.
void end_scenario(const std::filesystem::path& scenario_dir, const harness::Ended& ended);

}  // namespace torture::kernel_layout
