// Reports of sanitizers in the tortured process.
#pragma once

#include <filesystem>
#include <vector>

#include "torture/oracle/verdict.hpp"

namespace torture {

/// The failures in a scenario's files `sanitizer.PID`, one for each check and file: freed memory used is
/// use_after_free, a data race memory_order, all else crash. They do not say when, so `at_s` is taken for
/// that.
std::vector<Failure> sanitizer_failures(const std::filesystem::path& scenario_dir, double at_s);

}  // namespace torture
