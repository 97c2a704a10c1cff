#include "torture/kernel/needs.hpp"

#include "srcu/core/seq.hpp"
#include "srcu/core/usage.hpp"
#include "torture/kernel/cpu.hpp"

namespace torture::kernel {
namespace {

bool held_here(const srcu::Spinlock& lock) { return srcu::holds_spinlock() && lock.is_taken(); }

// number() of core/callbacks.cpp. relaxed, here and below: looks in passing
bool asks_for_grace_period(srcu::Usage& usage) {
  const uint64_t asked_for = std::atomic_ref(usage.data.gp_seq_needed).load(std::memory_order_relaxed);
  return !srcu::seq_done(asked_for, srcu::snapshot(usage));
}

// request() of core/gp.cpp, at normal pace
bool nobody_drives(const srcu::Usage& usage) {
  return srcu::seq_state(usage.gp_seq.load(std::memory_order_relaxed)) == srcu::GpState::kIdle;
}

// wake_up()
bool waking_meets_a_held_lock(const Task& task) {
  Cpu& there = task.where();
  if (task.pi_lock.held_here() || there.rq_lock.held_here()) return true;
  return there.pressure_arms() && there.base(BaseKind::kGlobal).lock.held_here();
}

// Pool::insert()
bool inserting_meets_a_held_lock(const Pool& pool) {
  if (pool.lock.held_here()) return true;
  const Task* const woken = pool.idle_worker_in_passing();
  return woken && waking_meets_a_held_lock(*woken);
}

// Queued already, it may be waiting for its time: each base is searched.
bool searching_meets_a_held_lock() {
  for (unsigned id = 0; id < settings.cpus; ++id)
    if (cpu(id).base(BaseKind::kGlobal).lock.held_here()) return true;
  return false;
}

// queue_delayed_work(), without a delay
bool queueing_meets_a_held_lock(srcu::Work& work) {
  if (std::atomic_ref(work.queued).load(std::memory_order_relaxed)) return searching_meets_a_held_lock();
  Cpu& here = this_cpu();
  const Cpu* const last = last_cpu(work);
  return (last && last != &here && last->pool.lock.held_here()) || inserting_meets_a_held_lock(here.pool);
}

}  // namespace

bool post_must_be_deferred(srcu::Usage& usage) {
  if (srcu::in_nmi() || held_here(usage.data.lock)) return true;
  if (!asks_for_grace_period(usage)) return false;
  if (held_here(usage.lock)) return true;
  return nobody_drives(usage) && queueing_meets_a_held_lock(usage.gp_work);
}

}  // namespace torture::kernel
