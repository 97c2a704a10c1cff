// fork(): holds everything still around it; the child loses the threads that it does not have.
#include <pthread.h>
#include <signal.h>

#include <algorithm>

#include "srcu/core/misuse.hpp"
#include "srcu/core/usage.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/platform/freeze.hpp"
#include "srcu/platform/membarrier.hpp"

namespace srcu {
namespace {

void take(Spinlock& lock, const Spinlock* nest = nullptr) {
  irq_off();
  lock.acquire_lock(nest);
}
void drop(Spinlock& lock) {
  lock.drop();
  irq_on();
}

using Counts = srcu_ctr (srcu_slot::*)[2];

int64_t open_in(const srcu_ctr& count) { return static_cast<int64_t>(count.lock - count.unlock); }

// Sections of vanished threads count as closed; the forking thread's own stay open. Each slot is set right, not only the
// sum, for the next fork. `own` is a guess where sections crossed threads; the sum is none, and bounds it.
void even_out(Usage& usage, Counts counts, uint32_t rank, int64_t own) {
  int64_t open = 0;
  for (uint32_t i = 0; i < threads_ever(); ++i) open += open_in((usage.slots[i].*counts)[rank]);
  const int64_t kept = std::max<int64_t>(0, std::min(own, open));
  const size_t mine = srcu_slot_offset / sizeof(srcu_slot);
  for (uint32_t i = 0; i < threads_ever(); ++i) {
    srcu_ctr& count = (usage.slots[i].*counts)[rank];
    const int64_t left = i == mine ? kept : 0;
    if (open_in(count) != left) count.unlock = count.lock - static_cast<uint64_t>(left);
  }
}

// In slot 0 others' sections are counted, too; this thread knows how many it has there, but not in which domain.
void close_vanished(Usage& usage) {
  const bool shares = srcu_slot_offset == 0;
  const srcu_slot& mine = usage.slots[srcu_slot_offset / sizeof(srcu_slot)];
  for (const uint32_t rank : {0U, 1U}) {
    const int64_t open = open_in(mine.rank[rank]);
    even_out(usage, &srcu_slot::rank, rank, shares ? std::min(open, sections_in_slot_0) : open);
    even_out(usage, &srcu_slot::updown, rank, shares ? 0 : open_in(mine.updown[rank]));
  }
}

// The driver, the invoker and irq_works may have been in threads that are gone.
void repair(Usage& usage) {
  // relaxed, all: there is one thread
  if (usage.abandoned.load(relaxed)) return;
  if (__atomic_load_n(&usage.domain->srcu_sup, __ATOMIC_RELAXED) != reinterpret_cast<srcu_usage*>(&usage))
    return usage.abandoned.store(true, relaxed);  // by a thread that is gone, before it was published
  usage.driver.store(0, relaxed);
  usage.fenced = usage.drained[0] = usage.drained[1] = false;
  show_rank(usage);
  Staging& staged = usage.data.staged;
  for (IrqWork* work : {&usage.gp_irq_work, &staged.drain, &staged.later, &staged.wake}) work->state.store(0, relaxed);
  staged.node_queued.store(false, relaxed);
  drop_barriers(usage);
  close_vanished(usage);
}

[[noreturn]] void no_helper() {
  die("srcu_after_fork_child: the helper thread cannot be started: raise the limit on threads");
}

// Does what was left during the fork. In the child also what threads that are gone would have: one may have filed a post and
// not asked for its grace period yet, or have been about to queue either work. True if there is work for the helper.
bool go_on(Usage& usage) {
  if (usage.abandoned.load(relaxed)) return false;  // relaxed: set under the registry's lock, or by who gave up and is through
  // A drain is a section, which a cleanup that goes on just now must not find.
  if (!usage.data.staged.posts.empty()) drain_staged(&usage);
  rearm_legacy(usage);
  // relaxed, all: what was left was so before the thaw; the rest is done by whoever changes it
  const auto ask_again = [&](uint64_t seq, bool hurry) {
    if (!done(usage, seq)) request(usage, seq, hurry, true);
  };
  ask_again(std::atomic_ref(usage.data.gp_seq_needed).load(relaxed), false);
  ask_again(usage.gp_seq_left.load(relaxed), false);
  ask_again(usage.gp_seq_left_exp.load(relaxed), true);
  if (seq_done(usage.gp_seq.load(relaxed), usage.gp_seq_needed.load(relaxed)) && !usage.data.waiting.load(relaxed)) return false;
  usage.host->queue_delayed_work(usage.gp_work, 0);
  usage.host->queue_delayed_work(usage.data.invoke_work, 0);
  return true;
}

template <class What>
void for_each_domain(What what) {
  for (Usage* usage = first_domain(); usage; usage = next_domain(*usage)) what(*usage);
}

// Held around the fork, so that nobody resumes the host under another's feet.
Spinlock one_at_a_time{LockClass::kFork};
sigset_t mask_before;  // guarded by it, as the next
Usage* first_held;     // those in front of it came later; nobody takes their locks until the thaw

// True if something was left meanwhile.
bool resume(bool in_child) {
  const bool helped = native_host.resume(in_child);
  for (Usage* usage = first_held; usage; usage = next_domain(*usage)) {
    drop(usage->lock);
    drop(usage->data.staged.lock);
    drop(usage->data.lock);
  }
  thaw_registry();
  const bool left = thaw();
  if (!helped) no_helper();
  return left;
}

void let_others(const sigset_t& mask) {
  one_at_a_time.drop();
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

}  // namespace
}  // namespace srcu

extern "C" {

void srcu_before_fork() {
  using namespace srcu;
  check_fork_not_in_callback();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // a handler on this thread would find every lock taken
  one_at_a_time.acquire_lock();
  mask_before = before;
  native_host.pause();
  freeze();  // from here on nobody waits for the locks who may hold what fork() takes
  take(registry_lock);
  Usage* held = nullptr;
  for (;;) {
    Usage* const first = first_domain();
    for (Usage* usage = first; usage != held; usage = next_domain(*usage)) {
      take(usage->data.lock, &registry_lock);
      take(usage->data.staged.lock, &registry_lock);
      take(usage->lock, &registry_lock);
    }
    held = first;
    native_host.hold();  // after the domains' locks, under which works are queued
    if (freeze_registry(first)) break;
    native_host.let_go();
  }
  first_held = held;
}

void srcu_after_fork_parent() {
  using namespace srcu;
  const sigset_t before = mask_before;
  if (resume(false)) {
    for_each_domain([](Usage& usage) { go_on(usage); });
    resume_deferred();
  }
  drop(registry_lock);
  let_others(before);
}

void srcu_after_fork_child() {
  using namespace srcu;
  membarrier_again();
  forget_other_threads();
  irq_state.pending.store(nullptr, relaxed);  // relaxed: this thread's own
  for_each_domain(repair);
  repair_deferred();
  const sigset_t before = mask_before;
  resume(true);
  for_each_domain([](Usage& usage) {
    if (go_on(usage) && !usage.host->start()) no_helper();
  });
  resume_deferred();
  drop(registry_lock);
  let_others(before);
}

}  // extern "C"
