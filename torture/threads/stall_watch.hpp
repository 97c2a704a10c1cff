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

/// Something that stands still.
struct Standstill {
  Check check;
  std::string words;
  bool over;                    ///< The limit is exceeded; otherwise half of it is, for the first time.
  std::function<bool()> moved;  ///< Whether it has gone on since.
};

/// The conductor ticks it while the gate is open; while it is closed the clocks stand.
class StallWatch {
 public:
  StallWatch(const World& world, const Cast& cast, uint64_t limit_ns);

  /// `granted_ns`: from Patience. The first standstill that exceeds the limit, or half of it, if any. While a
  /// reader delays on purpose inside a section the clocks stand. Where readers relay, the limit is half of what
  /// was given: nobody delays there, and the phase must outlast the stall that it is to show. Who waits while others'
  /// grace periods end waits its turn, as with a lock that is not fair, and so do callbacks, for which the scheme's own thread
  /// waits; not for ever: a thousand are no turn.
  std::optional<Standstill> tick(uint64_t granted_ns);

 private:
  struct Watched {
    Check check;
    std::string words;
    std::function<uint64_t()> progress;
    std::function<bool()> expected;
    std::function<uint64_t()> turns{};  ///< Grace periods that ended, anybody's, where one must wait for one's turn.
    uint64_t seen = 0, still_ns = 0;
    uint64_t first_turn = 0, last_turn = 0;
    bool suspected = false;
  };
  static bool may_wait_its_turn(Watched& watched);
  uint64_t limit_ns() const;
  Standstill standstill(const Watched& watched, bool over) const;
  void watch_updates(const Cast& cast);
  void watch_readers(const World& world, const Cast& cast);

  const World& world_;
  const Cast& cast_;
  const uint64_t limit_ns_;
  std::vector<Watched> watched_;
};

}  // namespace torture
