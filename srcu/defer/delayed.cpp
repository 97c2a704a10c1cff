// delayed: the work is queued under the domain's lock, a tick later at either pace.
//
// Proposed by Siewior, who wants no irq_work in call_srcu() for locks that a caller might hold.
// Claims: a positive delay wakes nobody, so neither the pool's nor the scheduler's locks are taken.
// Costs: a timer base's lock is taken instead, and deadlocks with whoever holds that one; and expedited grace periods
// wait for a tick.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

constinit const Strategy delayed = {
    .name = "delayed",
    .sentence = "always a tick's delay: keeps off the pool and the scheduler, and meets the timer base's lock instead",
    .bears = Bears::kNoHandler,
    .must_stage = never,
    .must_stage_nolock = never,
    .kick = [](Usage& usage) { usage.host->queue_delayed_work(usage.gp_work, kJiffyNs); },
};

}  // namespace srcu
