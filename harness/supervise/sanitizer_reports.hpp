#pragma once

#include <filesystem>

namespace harness {

/// From now on what a sanitizer has to say about this process goes to the file `stem`.PID instead of stderr,
/// if there is a sanitizer in it: compiled in, or preloaded for the sake of a plugin. Otherwise this does
/// nothing.
void sanitizer_reports_to(const std::filesystem::path& stem);

}  // namespace harness
