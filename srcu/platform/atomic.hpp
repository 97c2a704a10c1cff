// Memory orders by label. Each label stands for one site; srcu/DESIGN.md has the table: which sites pair, what they
// order, what breaks without them, and what test shows that. Naming the label in code lets a checking build weaken one
// site by name.
#pragma once

#include <atomic>
#include <cstdint>

#include "srcu/srcu.h"

namespace srcu {

/// The labelled sites of the library. B, C and S2 stand in fastpath.h too.
enum class Ord {
  A,   // fence, and membarrier: a grace period's start, before the sums
  B,   // fence, light where readers are fast: a section is opened
  C,   // release: a section is closed
  D,   // fence: after the flip
  G,   // fence: before a snapshot of the sequence
  E,   // fence: after a grace period was seen done
  U,   // acquire: sum of unlocks
  H1,  // release: more threads
  H2,  // acquire: number of threads, before the sum of locks
  T1,  // acquire: a thread takes a number
  T2,  // release: a thread gives its number back
  S1,  // release: a domain's memory is published
  S2,  // acquire: a domain's memory is found
  Q1,  // release: a grace period ends
  Q2,  // acquire: somebody looks at the sequence
  L1,  // acquire: spinlock taken
  L2,  // release: spinlock dropped
  R1,  // acquire: the driver's role is taken, or asked for
  R2,  // release and acquire: the driver's role is left
  W1,  // release: waiters' word changes
  W2,  // acquire: waiters' word is read
  K1,  // release: a callback is staged
  K2,  // acquire: staged callbacks are taken
  I1,  // acquire and release: an irq_work is claimed
  I2,  // release: an irq_work's claim ends
  X1,  // release: a barrier's callback ran
  X2,  // acquire: the barrier's caller sees it
  N1,  // release: a deferred function ran
  N2,  // acquire: who flushes sees it
  N3,  // acquire and release: a domain's node is queued
  N4,  // acquire and release: it is free again
  P1,  // release: a domain enters the registry
  P2,  // acquire: the registry is walked, or entered during a fork
  F1,  // release: something is left for a fork's end
  F2,  // acquire: a fork ends
  V1,  // release: a hook for the lock prover's reports, or a class of its
  V2,  // acquire: that hook is called, that class found
};

/// \name The order of a labelled site; at compilers' builtins SRCU_ORDERED() stands for it
/// @{
#ifdef SRCU_ORDER_HEADER
#define SRCU_ORDER_OF inline
SRCU_ORDER_OF std::memory_order ordered(Ord label, std::memory_order order) {
  return static_cast<std::memory_order>(srcu_ordered_by_number(static_cast<int>(label), static_cast<int>(order)));
}
#else
#define SRCU_ORDER_OF constexpr
SRCU_ORDER_OF std::memory_order ordered(Ord, std::memory_order order) { return order; }
#endif
SRCU_ORDER_OF std::memory_order acquire(Ord label) { return ordered(label, std::memory_order_acquire); }
SRCU_ORDER_OF std::memory_order release(Ord label) { return ordered(label, std::memory_order_release); }
SRCU_ORDER_OF std::memory_order acq_rel(Ord label) { return ordered(label, std::memory_order_acq_rel); }
/// Whether the label's fences, and its membarrier, are executed.
SRCU_ORDER_OF bool fences(Ord label) { return ordered(label, std::memory_order_seq_cst) == std::memory_order_seq_cst; }
#undef SRCU_ORDER_OF
/// @}

/// For sites without a label: nothing is ordered by them, and a word beside each says why.
inline constexpr std::memory_order relaxed = std::memory_order_relaxed;

/// A full fence.
inline void fence(Ord label) {
  if (fences(label)) srcu_fence();
}

/// Between a thread and signal handlers on it: the compiler keeps the order.
inline void signal_fence() { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace srcu
