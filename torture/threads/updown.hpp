// Sections that one thread opens and another closes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "torture/threads/world.hpp"

namespace torture {

/// Two threads: one goes down, hands the open section over, the other comes up a little later. rcutorture's n_up_down is
/// how many may be open at a time. Before the torture parks all of them are closed.
class UpDown {
 public:
  static constexpr unsigned kMost = 256;

  /// `down`, `up`: each thread's counters.
  UpDown(World& world, Visitor& down, Visitor& up, unsigned most);

  void run_down();
  void run_up();

  uint64_t sections() const { return peek(closed_); }

 private:
  bool give(Visitor::Stay stay);
  bool close_next();

  World& world_;
  Visitor &down_, &up_;
  const unsigned most_;
  std::array<Visitor::Stay, kMost> open_;
  alignas(64) std::atomic<uint64_t> opened_{0};
  alignas(64) std::atomic<uint64_t> closed_{0};
  std::atomic<bool> resting_{false};  ///< The opener parks, sits a phase out, or is about to.
  std::atomic<bool> over_{false};     ///< It opens nothing any more.
};

}  // namespace torture
