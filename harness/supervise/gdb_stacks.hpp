#pragma once

#include <sys/types.h>

#include <string>

namespace harness {

/// What the debugger got out of a process.
struct GdbStacks {
  std::string text;     ///< Empty if it got none.
  std::string trouble;  ///< Why there is no text, or why it is not whole; empty if all is there.
};

/// Runs `gdb` on `pid` for up to `seconds` and leaves the process running or stopped, as found.
GdbStacks gdb_stacks(pid_t pid, const std::string& gdb, double seconds);

}  // namespace harness
