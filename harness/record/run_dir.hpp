// Where a run writes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace harness {

/// Makes the run directory. `out` must not exist, or be empty (UsageError otherwise); without it,
/// ./results/<year.month.day-hour.minute.second>-<name> is made, and results/latest points to it.
/// Broken if it cannot be made or written.
std::filesystem::path create_run_dir(const std::optional<std::filesystem::path>& out,
                                     const std::string& name);

}  // namespace harness
