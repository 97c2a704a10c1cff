#include "torture/kernel/spinlock_t.hpp"

#include "torture/kernel/deadlock.hpp"
#include "torture/kernel/settings.hpp"

namespace torture::kernel {

void SpinlockT::lock([[maybe_unused]] srcu::Site site) {
  if (settings.preempt_rt)
    check_might_sleep(kind_.lock_class.name, 0);
  else
    srcu::irq_off();
  srcu_lockdep_acquire_at(&word_, &kind_.lock_class, 0, SRCU_LOCKDEP_WRITE, nullptr, site.file, site.line);
  if (word_.take([this] { watch_for_deadlocks.waits(&word_); })) watch_for_deadlocks.had(&word_);
  kind_.taken.hit();
}

void SpinlockT::unlock() {
  word_.drop();
  srcu_lockdep_release(&word_);
  if (!settings.preempt_rt) srcu::irq_on();
}

}  // namespace torture::kernel
