// What a thread holds, as one number, and which acquisitions were found right on top of it.
//
// Whether anything is new about an acquisition depends on the held locks, from the bottom up: which node, how
// it was taken, and in what situation; on the same of the lock that is about to be taken; and on the tables,
// which only learn, until something is forgotten. All of it is hashed into 64 bits: the chain of what is held
// with that lock on top. A thread keeps chains that it walked through, lock by lock, finding nothing new. To
// meet one again is to know the outcome of that walk.
//
// Two different chains may share a number. To hide an order that way, the new one has to agree in all 64 bits
// with the one in its place: with m different chains in a program, the odds are below m * m / 2^64, for
// 100,000 about 1 in 2 * 10^9. The kernel's lockdep takes the same risk.
//
// 0: unknown, for the time being or because a held lock is unknown to the graph. Nothing is kept for it, and
// what is on top of it is unknown, too, so that each acquisition there is walked through. So a handler may
// come at any instruction: a level's chain is written after all else of it, and taken away before.
#pragma once

#include <bit>

#include "srcu/lockdep/lockdep.hpp"

namespace srcu::lockdep {

/// Changes when something is forgotten, and all chains with it.
extern std::atomic<uint64_t> memory_of_chains;
inline void forget_chains() {
  // relaxed: whoever takes locks of the forgotten kind comes after, by other means
  memory_of_chains.fetch_add(0x9E3779B97F4A7C15U, relaxed);
}

/// Its own for each start, after which the tables may be new ones. Nor can a handler that was the first to
/// notice the start leave chains of before it to the code below, to be met again.
inline uint64_t nothing_held(uint32_t epoch) { return (2 * uint64_t{epoch} + 1) * 0xD1B54A32D192ED03U; }

/// The number of a known chain with one more lock on top.
inline uint64_t hashed(uint64_t chain, uint16_t node, uint32_t how, const Situation& now) {
  const uint64_t lock = uint64_t{std::bit_cast<uint32_t>(now)} << 32 | uint64_t{how & 0xFFU} << 16 | node;
  const uint64_t mixed = (chain ^ lock ^ peek(memory_of_chains)) * 0x9E3779B97F4A7C15U;
  return mixed ^ mixed >> 32;
}
/// The chain with one more lock on top.
inline uint64_t longer(uint64_t chain, uint16_t node, uint32_t how, const Situation& now) {
  return chain && node ? hashed(chain, node, how, now) : 0;
}

inline std::atomic<uint64_t>& place_of_chain(Task& task, uint64_t chain) {
  return task.right[chain % kMaxChains];
}
inline bool found_right(Task& task, uint64_t chain) { return peek(place_of_chain(task, chain)) == chain; }

}  // namespace srcu::lockdep
