#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/supervise/progress_board.hpp"

namespace harness {

/// When a thread of the child counts as stalled. Whichever limit is reached first.
struct WatchLimits {
  double cpu_s;   ///< CPU time that the child as a whole spent since the thread's last beat: busy, but not
                  ///< moving.
  double wall_s;  ///< Wall time since then: asleep for good. Much longer, as a child that is not given the
                  ///< CPU is well.
};

/// Threads that beat no more.
struct Stall {
  std::vector<std::string> threads;  ///< Names as on the board.
  bool all;                          ///< None of the threads of which beats are expected moves.
  double cpu_s, wall_s;              ///< Since the last beat of the one that stands longest.

  /// One line: "updater/0 made no step in 12.0 s of CPU time, 6.1 s".
  std::string words() const;
};

/// The parent's eye on a child. One thread uses it.
class Watch {
 public:
  /// UsageError unless both limits are positive.
  Watch(const ProgressBoard& board, pid_t child, WatchLimits limits);

  /// Compares the board with what was seen before; the threads that are stalled now, or nothing. Call it
  /// about once a second: the time between two calls counts for at most 5 s, and not at all while the child
  /// is stopped, so that a suspended machine or a ^Z is not held against it. A child that has ended is not
  /// stalled.
  std::optional<Stall> look();

 private:
  struct Mark {
    uint64_t beats = 0;
    double cpu_s = 0, wall_s = 0;
  };
  bool advance_clocks();
  void note(const std::vector<ProgressBoard::Reading>& now);
  std::optional<Stall> judge(const std::vector<ProgressBoard::Reading>& now) const;

  const ProgressBoard& board_;
  pid_t child_;
  WatchLimits limits_;
  uint64_t looked_ns_;
  double cpu_s_ = 0, wall_s_ = 0;
  std::vector<Mark> marks_;
};

}  // namespace harness
