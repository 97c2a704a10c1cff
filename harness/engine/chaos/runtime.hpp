// What happens at each access of code under test.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "harness/engine/chaos/chaos.hpp"
#include "harness/engine/chaos/epoch.hpp"

namespace engine::chaos {

/// The epoch's word(); 0: nothing happens. The one thing that threads share on their way, and they only read it.
extern constinit std::atomic<uint64_t> current;

/// Perhaps waits. For any context, handlers that interrupt it included; leaves errno alone.
void disturb(uint64_t word, const void* return_address);

/// Ahead of an access from there. In a quiet epoch this is a load and a branch: no fence, no store.
inline void point(const void* return_address) {
  // relaxed: a setting taken late or early disturbs as well
  if (const uint64_t word = current.load(std::memory_order_relaxed); word != 0) disturb(word, return_address);
}

/// \name For whoever changes the settings: one thread at a time
/// @{
void begin(uint64_t seed);  ///< Quiet; counts are 0 and streams as `seed` says, each thread's from its next access on.
std::vector<Site> seen();   ///< Where accesses were made, but in quiet epochs.
void reap();                ///< Threads that have ended make room for others.
std::vector<Counts> counts_by_thread();
/// @}

/// Of an object that says that it was compiled for this.
void note_unit();

}  // namespace engine::chaos
