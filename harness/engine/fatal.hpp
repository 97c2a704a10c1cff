// The engine itself cannot go on: not a finding.
#pragma once

namespace engine {

/// Says so on stderr, whatever else is broken, and ends the process with status 3.
[[noreturn]] void fatal(const char* why, const char* more = "");

}  // namespace engine
