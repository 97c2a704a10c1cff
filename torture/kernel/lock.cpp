#include "torture/kernel/lock.hpp"

#include <cstdio>

#include "torture/kernel/deadlock.hpp"
#include "torture/kernel/fault.hpp"
#include "torture/kernel/points.hpp"
#include "torture/kernel/settings.hpp"

namespace torture::kernel {

constinit LockKind rq_kind{"rq->__lock", true, "lock:rq"};
constinit LockKind pi_kind{"p->pi_lock", true, "lock:pi"};
constinit LockKind base_kind{"timer_base.lock", true, "lock:timer_base"};
constinit LockKind pool_kind{"pool->lock", true, "lock:pool"};
constinit LockKind slab_kind{"slab.list_lock", false, "lock:slab", SRCU_LOCKDEP_CONFIG};
constinit LockKind unrelated_kind{"unrelated.lock", false, "lock:unrelated"};

namespace {

/// What keeps this thread from sleeping, on a kernel that is preemptible everywhere.
thread_local unsigned raw_held = 0, preemption_off = 0;
thread_local constinit std::atomic<unsigned> posting_locks{0};

// Up before the word is taken and the prover told, and down after both are free of it, for a handler in between.
void count_posting_lock(const LockKind& kind, int by) {
  if (!kind.posting_takes_it) return;
  srcu::signal_fence();
  // relaxed, both: the thread's own, and its handlers'
  posting_locks.store(posting_locks.load(srcu::relaxed) + static_cast<unsigned>(by), srcu::relaxed);
  srcu::signal_fence();
}

}  // namespace

bool holds_what_posting_takes() { return posting_locks.load(srcu::relaxed) != 0; }  // relaxed: as above

void preempt_off() { ++preemption_off; }
void preempt_on() { --preemption_off; }

void check_might_sleep(const char* lock_name, unsigned own_irq_off) {
  // relaxed: this thread's
  const unsigned off = srcu::irq_state.off.load(srcu::relaxed);
  if (!settings.preempt_rt || (off <= own_irq_off && !raw_held && !preemption_off && !srcu::in_nmi())) return;
  char headline[sizeof(Fault::headline)], text[sizeof(Fault::text)];
  snprintf(headline, sizeof headline,
           "%s sleeps on this kernel, and is taken with interrupts off %u times, preemption off %u times, and %u raw "
           "locks held",
           lock_name, off - own_irq_off, preemption_off, raw_held);
  describe_members(text, sizeof text);
  note_fault("wait_context", headline, text, false);
}

#ifdef SRCU_LOCKDEP
void srcu_lock_taken(srcu::LockClass lock_class) {
  if (srcu::own_lock_classes[static_cast<int>(lock_class)].inner == SRCU_LOCKDEP_CONFIG)
    check_might_sleep(srcu::own_lock_classes[static_cast<int>(lock_class)].name);
  if (lock_class == srcu::LockClass::kData) srcu_sdp_locked.hit();
  if (lock_class == srcu::LockClass::kUsage) srcu_sup_locked.hit();
}
#endif

void Lock::lock([[maybe_unused]] srcu::Site site) {
  count_posting_lock(kind_, 1);
  srcu_lockdep_acquire_at(key(), &kind_.lock_class, 0, SRCU_LOCKDEP_WRITE, nullptr, site.file, site.line);
  if (word_.take([this] { watch_for_deadlocks.waits(key()); })) watch_for_deadlocks.had(key());
  ++raw_held;
  holder_.store(&raw_held, srcu::relaxed);  // relaxed, here and below: asked for by this thread
  kind_.taken.hit();
}

void Lock::unlock() {
  --raw_held;
  holder_.store(nullptr, srcu::relaxed);
  word_.drop();
  srcu_lockdep_release(key());
  count_posting_lock(kind_, -1);
}

bool Lock::held_here() const { return holder_.load(srcu::relaxed) == &raw_held; }

}  // namespace torture::kernel
