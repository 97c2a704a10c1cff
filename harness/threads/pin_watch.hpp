#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/threads/named_thread.hpp"
#include "harness/threads/shuffle.hpp"

namespace harness {

/// Looks again, while threads run, whether they are where they were put: whoever manages a machine's CPUs may
/// rewrite masks at any time. One thread uses it.
class PinWatch {
 public:
  /// What `shuffle` does to threads is not held against them; it outlives this.
  explicit PinWatch(const Shuffle& shuffle) : shuffle_(shuffle) {}

  /// A thread of this process that stays alive until stop(). If it is not pinned, its migrations are only
  /// counted.
  void add(const NamedThread& thread);

  /// Broken, naming the thread and the CPU it was to be on, if a pinned one has another mask or runs
  /// elsewhere.
  void look();

  /// The threads may end now: look() does nothing any more.
  void stop() { pins_.clear(); }

  /// How often the kernel moved the threads to another CPU, from add() to the last look(); where it does not
  /// count that itself (/proc/TID/sched), how often look() found one on another CPU than before.
  uint64_t migrations() const { return migrations_; }

 private:
  struct Pin {
    std::string name;
    pid_t tid;
    std::optional<unsigned> pu;
    std::optional<uint64_t> moves;  ///< The kernel's count at the last look.
    unsigned cpu;                   ///< Where it was then.
  };
  void check(const Pin& pin, unsigned cpu) const;

  const Shuffle& shuffle_;
  std::vector<Pin> pins_;
  uint64_t migrations_ = 0;
};

}  // namespace harness
