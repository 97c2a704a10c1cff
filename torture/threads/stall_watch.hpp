// Notices, from inside, that a grace period does not end, that a flood does not drain, that a thread stands
// still.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "torture/threads/cast.hpp"

namespace torture {

/// Something that stood still for too long.
struct Standstill {
  Check check;
  std::string words;
};

/// Time as the machine granted it: of each tick at most twice its nominal length counts, so that a suspended
/// or overloaded machine is not held against the scheme.
class Patience {
 public:
  explicit Patience(uint64_t tick_ns) : tick_ns_(tick_ns) {}
  /// Call once a tick; returns what this tick counts for.
  uint64_t tick(uint64_t now_ns);

 private:
  uint64_t tick_ns_;
  uint64_t last_ns_ = 0;
};

/// The conductor ticks it while the gate is open; while it is closed the clocks stand.
class StallWatch {
 public:
  StallWatch(const World& world, const Cast& cast, uint64_t limit_ns);

  /// `granted_ns`: from Patience. The first standstill that exceeds the limit, if any. While a reader delays
  /// on purpose inside a section the clocks stand.
  std::optional<Standstill> tick(uint64_t granted_ns);

 private:
  struct Watched {
    Check check;
    std::string words;
    std::function<uint64_t()> progress;
    std::function<bool()> expected;
    uint64_t seen = 0, still_ns = 0;
  };
  void watch_updates(const Cast& cast);
  void watch_readers(const World& world, const Cast& cast);

  const Cast& cast_;
  uint64_t limit_ns_;
  std::vector<Watched> watched_;
};

}  // namespace torture
