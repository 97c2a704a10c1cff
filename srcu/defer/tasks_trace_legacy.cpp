// tasks_trace_legacy: call_rcu_tasks_trace() as it was before v7.0. A post goes on a list under a lock of its own; if that
// was empty an irq_work wakes who serves it, otherwise a lazy timer is armed, under the lock, unless it is already.
//
// Proposed by nobody any more: sched_ext's callbacks used it under a runqueue's lock without harm. Boqun Feng found the
// timer, and asked whether it was magic or luck.
// Claims: no lock of the scheduler or of the worker pool is taken by a post.
// Costs: a timer base's lock under its own: who posts with a timer base's lock held may wait for himself. An NMI that finds
// its own lock held does.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"
#include "srcu/platform/freeze.hpp"

namespace srcu {
namespace {

constexpr uint64_t kLazyNs = 250 * kJiffyNs;

void post(Usage& usage, rcu_head* head) {
  Staging& staged = usage.data.staged;
  bool first = false;
  {
    const IrqLockedUnlessFrozen locked(staged.lock);
    first = staged.posts.push(head);
    if (locked && !first && !staged.timer_armed) {  // the end of a fork drains
      staged.timer_armed = true;
      usage.host->queue_delayed_work(staged.timer, kLazyNs);
    }
  }
  if (first) usage.strategy->drain_soon(usage);
}

void on_timer(void* owner) {
  auto& usage = *static_cast<Usage*>(owner);
  Staging& staged = usage.data.staged;
  {
    const IrqLocked locked(staged.lock);
    staged.timer_armed = false;
  }
  if (!staged.posts.empty()) usage.host->queue_delayed_work(staged.turn, 0);
}

}  // namespace

void rearm_legacy(Usage& usage) {
  Staging& staged = usage.data.staged;
  const IrqLocked locked(staged.lock);
  if (staged.timer_armed) usage.host->queue_delayed_work(staged.timer, kLazyNs);
}

void prepare_legacy(Usage& usage) {
  Staging& staged = usage.data.staged;
  staged.timer = {on_timer, &usage};
  staged.wake.run = [](void* owner) {
    auto& self = *static_cast<Usage*>(owner);
    self.host->queue_delayed_work(self.data.staged.turn, 0);
  };
}

constinit const Strategy tasks_trace_legacy = {
    .name = "tasks_trace_legacy",
    .sentence = "call_rcu_tasks_trace() before v7.0: an irq_work wakes its thread, or a lazy timer is armed under its own lock; "
                "safe in the scheduler, and by luck alone where a timer base's lock is held",
    .bears = Bears::kNoHandler,
    .must_stage = never,
    .must_stage_nolock = never,
    .kick = kick_by_irq_work,
    .post = post,
    .drain_soon = [](Usage& usage) {
      usage.host->queue_irq_work(draining() ? usage.data.staged.later : usage.data.staged.wake);
    },
};

}  // namespace srcu
