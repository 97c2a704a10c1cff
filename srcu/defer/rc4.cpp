// rc4: the work is queued under the domain's lock, at once if an expedited grace period is asked for, else a tick later.
//
// Proposed by nobody: it is what v7.0-rc4 did, with its locks already raw.
// Claims: safe in the scheduler at normal pace, since a delay takes a timer's lock and wakes nobody.
// Costs: one expedited grace period anywhere makes it `direct`: half of the circle then, any post under a runqueue's lock
// the other half. And a tick before each grace period.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

constinit const Strategy rc4 = {
    .name = "rc4",
    .sentence = "what v7.0-rc4 did: no delay when an expedited grace period is pending, which takes the pool's lock, otherwise "
                "a tick, which takes a timer base's",
    .bears = Bears::kNoHandler,
    .must_stage = never,
    .must_stage_nolock = never,
    .kick = [](Usage& usage) { usage.host->queue_delayed_work(usage.gp_work, expedited(usage) ? 0 : kJiffyNs); },
};

}  // namespace srcu
