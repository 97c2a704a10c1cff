#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace harness {

/// A thread that the kernel does not let go: neither a signal nor another thread can end such a wait.
struct Detained {
  std::string where;  ///< The kernel's function; empty if it does not tell.
  std::string call;   ///< The number of the system call; empty if there is none, or it is not told.

  /// "in rwsem_down_write_slowpath (system call 12)", "in an uninterruptible sleep".
  std::string words() const;
};

/// Looks at a thread several times; nothing unless it was in an uninterruptible sleep (state D) each time.
/// Who waits for another thread is asleep or running (S, R). Takes as long as the looks do.
std::optional<Detained> detained(pid_t pid, pid_t tid, unsigned looks = 6, uint64_t gap_ns = 200'000'000);

}  // namespace harness
