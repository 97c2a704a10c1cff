// Numbers for threads: where a thread's slot stands in every domain. Taken at a thread's first section, given back when
// it exits, or found again once it is gone; lock-free, so that handlers may.
#pragma once

#include <cstddef>
#include <cstdint>

#include "srcu/srcu.h"

namespace srcu {

/// Number 0 belongs to nobody: its slot serves, by locked instructions, threads that cannot have one of their own.
#ifdef SRCU_MAX_THREADS  // a multiple of 64, for builds where all numbers are soon taken
inline constexpr uint32_t kMaxThreads = SRCU_MAX_THREADS;
#else
inline constexpr uint32_t kMaxThreads = 8192;
#endif

/// Gives the calling thread a number, and srcu_slot_offset a value, if it has none and can have one: not when
/// all are taken, and not once the thread's exit has begun.
void take_thread_number();

/// Sections that the calling thread has open in slot 0 and must close itself. While there are any it takes no number,
/// so that they are closed there, too.
extern thread_local constinit int64_t sections_in_slot_0;

/// All numbers that are or ever were taken are below. Call it after A, and again before the sum of locks.
uint32_t threads_ever();

/// In a forked child: numbers of vanished threads are free again, and the calling thread's is its own under its new id.
void forget_other_threads();

}  // namespace srcu
