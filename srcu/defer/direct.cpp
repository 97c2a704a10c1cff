// direct: the work is queued under the domain's lock, whatever the pace.
//
// Proposed by nobody: the kernel's path up to v7.0-rc4 at expedited pace, and the second bug of its thread.
// Claims: nothing. Who posts while holding a lock that queueing work takes deadlocks; so does a handler that posts on top
// of the update side.
// Costs: least of all, where neither happens; no check, no list, no interrupt.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

constinit const Strategy direct = {
    .name = "direct",
    .sentence = "queues the work under the domain's lock, with no delay: the path that closed the circle through the pool's "
                "and the runqueue's lock",
    .bears = Bears::kNoHandler,
    .must_stage = never,
    .must_stage_nolock = never,
    .kick = kick_now,
};

}  // namespace srcu
