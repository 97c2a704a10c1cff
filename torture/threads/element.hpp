// What readers look at and updaters take away: one element, its pipe and its payload.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "torture/ops.hpp"

namespace torture {

/// An element is freed, and poisoned, when its pipe count reaches this.
inline constexpr uint32_t kPipeLength = 10;
/// Counters of pipe counts and of batches: 0 .. kPipeLength.
inline constexpr size_t kPipeSlots = kPipeLength + 1;
/// Readers of all kinds that can have a private flag in an element.
inline constexpr unsigned kMaxVisitors = 64;

/// Whether a head is with the scheme. Every head goes kOurs -> kPosted -> kOurs, or a callback was lost or
/// doubled.
enum class HeadState : uint32_t { kOurs, kPosted };

class Station;

/// The element that is published, unpublished, aged by grace periods, and freed.
///
/// Pipe: 0 while published, 1 from the unpublication, +1 for each grace period that began after it and ended.
/// A reader that still holds an element whose pipe is above 1 has outlived a grace period.
struct Element {
  srcutorture_head head;  // first, as the ops table demands
  Station* home = nullptr;
  std::atomic<HeadState> head_state{HeadState::kOurs};
  std::atomic<uint32_t> pipe{0};
  std::atomic<uint64_t> generation{0};  ///< Its station's count of publications when it was published.
  std::atomic<uint64_t> payload{0};     ///< seal(generation) while alive.
  std::atomic<Element*> next{nullptr};  ///< The chain in its bucket; set to null once unpublished.
  std::atomic<uint64_t> sighting{0};    ///< A reader's note on another reader's progress (see Sighting).
  uint64_t posted_ns = 0;               ///< Written by the poster before call(), read by the callback.
  uint64_t delay_ns = 0;                ///< Post to callback; written by the callback.
  Element* link = nullptr;              ///< The owner's lists: free, retired, returned.
  std::array<std::atomic<uint8_t>, kMaxVisitors> held{};  ///< Private flags, a byte a visitor.
};

/// What payload must be for a generation: a reader that sees anything else sees memory from before the
/// publication.
inline uint64_t seal(uint64_t generation) {
  return generation * 0x9e3779b97f4a7c15ULL ^ 0x5ca1ab1e0ddba11ULL;
}

/// The payload of a freed element.
inline constexpr uint64_t kPoison = 0x6b6b6b6b6b6b6b6bULL;

/// "Visitor `who` had made `progress` sections", in one word; 0 is no sighting.
struct Sighting {
  unsigned who;
  uint64_t progress;

  uint64_t packed() const { return (static_cast<uint64_t>(who + 1) << 56) | (progress & kProgressMask); }
  static Sighting of(uint64_t word) { return {static_cast<unsigned>(word >> 56) - 1, word & kProgressMask}; }
  static constexpr uint64_t kProgressMask = (1ULL << 56) - 1;
};

/// One more in a counter that only the calling thread writes.
/// relaxed: single writer; others read it for statistics, or after a join or a park.
inline void bump(std::atomic<uint64_t>& counter, uint64_t by = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

/// relaxed: a statistic, any recent value will do.
inline uint64_t peek(const std::atomic<uint64_t>& counter) { return counter.load(std::memory_order_relaxed); }

}  // namespace torture
