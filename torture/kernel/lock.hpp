// The model's locks, raw_spinlock_t all but the allocator's (spinlock_t.hpp): real ones, annotated for the prover, each kind with its class and its tracepoint.
#pragma once

#include <atomic>

#include "srcu/lockdep.h"
#include "srcu/platform/irq.hpp"
#include "srcu/platform/spinlock.hpp"
#include "torture/kernel/tracepoint.hpp"

namespace torture::kernel {

/// What all locks of one kind have in common.
struct LockKind {
  srcu_lockdep_class lock_class;
  bool posting_takes_it;  ///< Queueing work, arming a timer or waking a task may.
  Tracepoint taken;

  constexpr LockKind(const char* name, bool posting_takes_it, const char* tracepoint,
                     srcu_lockdep_wait wait = SRCU_LOCKDEP_SPIN)
      : lock_class SRCU_LOCKDEP_CLASS(name, wait),
        posting_takes_it(posting_takes_it),
        taken(tracepoint) {}
};
extern LockKind rq_kind, pi_kind, base_kind, pool_kind, slab_kind, unrelated_kind;

class Lock {
 public:
  explicit Lock(LockKind& kind) : kind_(kind) {}

  void lock(srcu::Site site = srcu::Site::here());
  void unlock();
  /// What the prover and the search for deadlocks know it by.
  const void* key() const { return &word_; }
  /// Whether the calling thread holds it. Any context; one that interrupted the taking of it may be told no.
  bool held_here() const;

 private:
  LockKind& kind_;
  srcu::SpinWord word_;
  std::atomic<const void*> holder_{nullptr};  ///< Something of the thread's. Its own alone means anything to a thread.
};

/// Holds a lock with interrupts off while it lives.
class IrqLock {
 public:
  explicit IrqLock(Lock& lock, srcu::Site site = srcu::Site::here()) : lock_(lock) {
    srcu::irq_off();
    lock_.lock(site);
  }
  ~IrqLock() {
    lock_.unlock();
    srcu::irq_on();
  }
  IrqLock(const IrqLock&) = delete;
  IrqLock& operator=(const IrqLock&) = delete;

 private:
  Lock& lock_;
};

/// A lock that sleeps when `preempt_rt` is about to be taken: reports wait_context, if this thread must not sleep here.
/// `own_irq_off`: how often interrupts are off on its own account; SRCU's turn them off once, whatever they count as.
void check_might_sleep(const char* lock_name, unsigned own_irq_off = 1);

#ifdef SRCU_LOCKDEP
/// One of SRCU's locks was just taken: what has to be looked at, and its tracepoint.
void srcu_lock_taken(srcu::LockClass lock_class);
#endif

/// Whether the calling thread holds a lock that posting may take, or is about to. Any context.
bool holds_what_posting_takes();

/// \name preempt_disable() and preempt_enable(). They nest.
/// @{
void preempt_off();
void preempt_on();
/// @}

}  // namespace torture::kernel
