// spinlock_t, as spin_lock_irqsave() takes it: a spinlock with interrupts off, or, with `preempt_rt`, a lock that may sleep and
// leaves interrupts as they are.
#pragma once

#include "torture/kernel/lock.hpp"

namespace torture::kernel {

class SpinlockT {
 public:
  explicit SpinlockT(LockKind& kind) : kind_(kind) {}

  /// With `preempt_rt`, reports wait_context if this thread must not sleep here.
  void lock(srcu::Site site = srcu::Site::here());
  void unlock();

 private:
  LockKind& kind_;
  srcu::SpinWord word_;
};

}  // namespace torture::kernel
