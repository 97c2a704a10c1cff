// Arithmetic on grace-period sequence numbers. The two low bits are the state of the grace period under way, the rest
// counts grace periods; comparisons survive the wrap.
#pragma once

#include <cstdint>

namespace srcu {

enum class GpState : uint64_t { kIdle = 0, kScan1 = 1, kScan2 = 2 };

inline constexpr uint64_t kSeqState = 3;
inline constexpr uint64_t kSeqGp = 4;

/// Where a domain begins: a hundred grace periods before the wrap, so that every test of any length passes it.
inline constexpr uint64_t kSeqFirst = (uint64_t{0} - 100) * kSeqGp;

/// A cookie that is always done; no snapshot equals it.
inline constexpr uint64_t kSeqCompleted = 1;

constexpr GpState seq_state(uint64_t seq) { return static_cast<GpState>(seq & kSeqState); }

/// The sequence at the end of the grace period under way.
constexpr uint64_t seq_end(uint64_t seq) { return (seq | kSeqState) + 1; }

/// The sequence at which a grace period has ended that began after `seq` was read: the next one when idle, otherwise
/// the one after that under way.
constexpr uint64_t seq_snap(uint64_t seq) { return (seq + 2 * kSeqState + 1) & ~kSeqState; }

/// `now` has reached `then`.
constexpr bool seq_done(uint64_t now, uint64_t then) { return static_cast<int64_t>(now - then) >= 0; }

/// The same for a cookie that may be older than half of all numbers: one that lies further ahead than any snapshot can
/// is an old one.
constexpr bool seq_done_exact(uint64_t now, uint64_t then) {
  return then == kSeqCompleted || seq_done(now, then) || then - now > 3 * kSeqGp;
}

}  // namespace srcu
