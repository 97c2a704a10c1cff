// irq_work: under the domain's lock only an irq_work is queued, which takes no lock; it queues the work.
//
// Proposed by Boqun Feng after an idea of Zqiang's; merged for v7.0. There the irq_work chooses between no delay and a
// tick; here it has none, since the state machine paces itself.
// Claims: posts are safe under any lock that is not the update side's own.
// Costs: an interrupt to oneself for each grace period. In an NMI the locks of the update side come first, so it helps
// nobody there; nor a tracer inside the update side.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

constinit const Strategy irq_work = {
    .name = "irq_work",
    .sentence = "an irq_work in between queues the work, and takes no lock of anybody's: what v7.0 does; no help to an NMI that "
                "finds SRCU's own locks held",
    .bears = Bears::kNoHandler,
    .must_stage = never,
    .must_stage_nolock = never,
    .kick = kick_by_irq_work,
};

}  // namespace srcu
