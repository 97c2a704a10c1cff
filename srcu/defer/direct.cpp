// direct: the work is queued under the domain's lock, whatever the pace. The kernel's path until v7.0-rc4 at expedited
// pace, and the second bug of its thread: whoever posts while holding a lock that queueing work takes deadlocks. So does
// a signal handler that posts on top of the update side. Cheapest where neither happens.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

constinit const Strategy direct = {
    "direct",
    "queues the work under the domain's lock; not for signal handlers",
    [] { return false; },
    [](Usage& usage) { usage.host->queue_delayed_work(usage.gp_work, 0); },
};

}  // namespace srcu
