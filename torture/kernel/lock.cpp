#include "torture/kernel/lock.hpp"

#include <cstdio>

#include "torture/kernel/fault.hpp"
#include "torture/kernel/settings.hpp"

namespace torture::kernel {

constinit LockKind rq_kind{"rq->__lock", LockType::kRaw, "lock:rq"};
constinit LockKind pi_kind{"p->pi_lock", LockType::kRaw, "lock:pi"};
constinit LockKind base_kind{"timer_base.lock", LockType::kRaw, "lock:timer_base"};
constinit LockKind pool_kind{"pool->lock", LockType::kRaw, "lock:pool"};
constinit LockKind slab_kind{"slab.list_lock", LockType::kRaw, "lock:slab"};
constinit LockKind unrelated_kind{"unrelated.lock", LockType::kRaw, "lock:unrelated"};

namespace {

/// What keeps this thread from sleeping, on a kernel that is preemptible everywhere.
thread_local unsigned raw_held = 0, preemption_off = 0;

}  // namespace

void preempt_off() { ++preemption_off; }
void preempt_on() { --preemption_off; }

void check_may_sleep(const char* lock_name, unsigned own_off) {
  const unsigned off = srcu::irq_state.off.load(srcu::relaxed);  // relaxed: this thread's
  if (!settings.preempt_rt || (off <= own_off && !raw_held && !preemption_off && !srcu::in_nmi())) return;
  char text[200];
  snprintf(text, sizeof text,
           "%s sleeps on this kernel, and is taken with interrupts off %u times, preemption off %u times, and %u raw "
           "locks held",
           lock_name, off - own_off, preemption_off, raw_held);
  note_fault("wait_context", text);
}

void Lock::lock(srcu::Site site) {
  if (kind_.type == LockType::kSleepsOnRt) check_may_sleep(kind_.lock_class.name, 0);
  srcu_lockdep_acquire_at(key(), &kind_.lock_class, 0, SRCU_LOCKDEP_WRITE, nullptr, site.file, site.line);
  word_.acquire_lock();
  if (kind_.type == LockType::kRaw) ++raw_held;
  hit(kind_.taken);
}

void Lock::unlock() {
  if (kind_.type == LockType::kRaw) --raw_held;
  word_.drop();
  srcu_lockdep_release(key());
}

}  // namespace torture::kernel
