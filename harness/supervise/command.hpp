#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace harness {

/// What a helper program said.
struct Said {
  bool started = false;    ///< False: `trouble` tells why it could not be run.
  bool timed_out = false;  ///< It was killed at the time limit.
  bool cut = false;        ///< It was killed because it said too much.
  int exit_code = -1;      ///< -1 if a signal ended it.
  std::string output;      ///< stdout and stderr, up to the limit.
  std::string trouble;     ///< "not installed", "Permission denied".
};

/// Runs argv[0] (searched in PATH) in a session of its own, without input, and reads what it says. Kills its
/// whole process group when `seconds` have passed or more than `bytes` have come; returns a moment later at
/// the latest. It ends with the calling thread. Never throws for what the program does; Broken if no pipe or
/// process can be had.
Said run_bounded(const std::vector<std::string>& argv, double seconds, size_t bytes);

}  // namespace harness
