// Notices the first grace period that takes longer than the user wants to see, while it still runs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "torture/threads/grace.hpp"
#include "torture/threads/patience.hpp"

namespace torture {

/// For --stop-latency. Unlike the stall watch it knows no excuse but that the watcher itself did not run: a
/// delay on purpose counts too. Times by the waiting thread's own clock, so what is seen late is not shorter.
class LatencyWatch {
 public:
  LatencyWatch(std::vector<Waiter> waiters, uint64_t limit_ns);

  /// How often to tick: the limit is then seen to be exceeded by no more than a quarter of it, or by 10 ms.
  uint64_t tick_ns() const { return tick_ns_; }
  uint64_t limit_ns() const { return limit_ns_; }

  struct Slow {
    const Waiter& waiter;
    uint64_t since_ns;   ///< As the waiter's Grace has it while it waits for this one.
    uint64_t waited_ns;  ///< Until now, as far as the machine granted it.
  };
  /// One that has lasted longer than the limit, if any.
  std::optional<Slow> tick(uint64_t now_ns);

 private:
  struct Seen {
    uint64_t since_ns = 0;
    uint64_t withheld_ns = 0;  ///< By the machine, up to the last tick before this one began.
  };

  const std::vector<Waiter> waiters_;
  uint64_t limit_ns_, tick_ns_;
  Patience patience_;
  std::vector<Seen> seen_;
};

}  // namespace torture
