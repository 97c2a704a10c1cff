// Time as the machine granted it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace torture {

/// Of each tick at most twice its nominal length counts, so that a suspended or overloaded machine is not
/// held against the scheme.
class Patience {
 public:
  explicit Patience(uint64_t tick_ns) : tick_ns_(tick_ns) {}

  /// Call once a tick; returns what this tick counts for.
  uint64_t tick(uint64_t now_ns) {
    const uint64_t passed = last_ns_ == 0 ? 0 : now_ns - last_ns_;
    const uint64_t counts = std::min(passed, 2 * tick_ns_);
    last_ns_ = now_ns;
    withheld_ns_ += passed - counts;
    return counts;
  }

  /// What did not count, over all ticks.
  uint64_t withheld_ns() const { return withheld_ns_; }

 private:
  uint64_t tick_ns_, last_ns_ = 0, withheld_ns_ = 0;
};

}  // namespace torture
