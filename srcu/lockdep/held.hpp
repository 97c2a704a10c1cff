// A thread's held locks: a stack that handlers continue.
//
// An entry above the depth is null. Pushing raises the depth first and fills in the lock last. A lock that is
// dropped out of order leaves a hole, and holes on top are popped. So a handler that comes in between, and
// leaves the stack as it found it, finds no entry that is half of one lock and half of another. Each level's
// chain (chain.hpp) is there while all below it stays as it is, and 0 otherwise.
#pragma once

#include <signal.h>

#include "srcu/lockdep/chain.hpp"
#include "srcu/lockdep/lockdep.hpp"
#include "srcu/srcu.h"

namespace srcu::lockdep {

extern thread_local constinit Task own_task;

/// The thread's first annotation since a start: forgets what was before. Not `busy`, which is not of what was
/// noted.
void begin(Task& task, uint32_t epoch);

inline bool begun(const Task& task) {
  return peek(task.epoch) == __atomic_load_n(&srcu_lockdep_running, __ATOMIC_RELAXED);  // relaxed: a switch
}

inline Task& this_task() {
  Task& task = own_task;
  if (!begun(task)) [[unlikely]]
    begin(task, __atomic_load_n(&srcu_lockdep_running, __ATOMIC_RELAXED));  // relaxed: a switch
  return task;
}

inline const void* hole() { return reinterpret_cast<const void*>(uintptr_t{1}); }

inline void push(Task& task, const Acquisition& taken, uint64_t chain) {
  const uint32_t depth = peek(task.depth);
  if (depth == kMaxHeld) return table_full(Table::kHeld);
  put(task.depth, depth + 1);
  signal_fence();  // from here on handlers push above
  Held& held = task.held[depth];
  held.lock_class = taken.lock_class;
  held.file = taken.file;
  held.line = taken.line;
  held.node = taken.node;
  held.subclass = taken.subclass;
  held.how = taken.how;
  held.situation = taken.situation;
  signal_fence();  // whoever sees the lock sees the rest
  put(held.lock, taken.lock);
  signal_fence();  // whoever sees the chain sees the lock
  put(task.chain[depth + 1], chain);
}

// Nulled first: handlers pop nothing then, neither this nor what is below.
inline void pop(Task& task, uint32_t depth) {
  put(task.chain[depth], uint64_t{0});
  signal_fence();
  put<const void*>(task.held[depth - 1].lock, nullptr);
  signal_fence();
  put(task.depth, depth - 1);
  signal_fence();
}

// Compares and exchanges in one instruction, so that a handler comes before or behind. No lock prefix: there
// is no other thread.
inline void lower_depth(Task& task, uint32_t from) {
#ifdef SRCU_ONE_INSTRUCTION
  uint32_t seen = from;
  __asm__ __volatile__("cmpxchgl %2, %1" : "+a"(seen), "+m"(task.depth) : "r"(from - 1) : "memory", "cc");
#else
  task.depth.compare_exchange_strong(from, from - 1, relaxed, relaxed);  // relaxed: there is no other thread
#endif
}

// Out of order. What is above has another chain from now on; the highest comes last, since handlers go on from
// there.
inline void leave_hole(Task& task, uint32_t level) {
  const uint32_t depth = peek(task.depth);
  put(task.chain[depth], uint64_t{0});
  signal_fence();
  put(task.held[level].lock, hole());
  signal_fence();
  uint64_t chain = peek(task.chain[level]);
  for (uint32_t i = level; i < depth; ++i) {
    if (const Held& held = task.held[i]; is_held(held)) chain = longer(chain, held.node, held.how, held.situation);
    put(task.chain[i + 1], chain);
    signal_fence();
  }
}

// A handler in between pops holes, too, all that it finds on top: then the depth is not what it was, and we
// look again.
inline void pop_holes(Task& task) {
  for (uint32_t depth = peek(task.depth); depth > 0 && peek(task.held[depth - 1].lock) == hole();
       depth = peek(task.depth)) {
    put(task.chain[depth], uint64_t{0});
    signal_fence();
    put<const void*>(task.held[depth - 1].lock, nullptr);
    signal_fence();
    lower_depth(task, depth);
    signal_fence();
  }
}

/// In the prover while it lives, if that can be: not in a handler that interrupted the prover on this thread.
class Examination {
 public:
  /// `may_wait`: for a fork, too, however long that takes.
  explicit Examination(Task& task, bool may_wait = false);
  ~Examination();
  Examination(const Examination&) = delete;
  Examination& operator=(const Examination&) = delete;

  bool entered() const { return entered_; }

 private:
  void let_signals();

  Task& task_;
  bool entered_;
  sigset_t before_;
};

}  // namespace srcu::lockdep
