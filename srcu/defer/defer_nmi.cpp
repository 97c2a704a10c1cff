// defer_nmi: in an NMI a post goes to a lockless list, which an irq_work takes over; otherwise as irq_work.
//
// Proposed as the first series of "call_rcu() and call_srcu() from NMI".
// Claims: posts are safe in an NMI, whatever it interrupted.
// Costs: a locked exchange for each post in an NMI; for others one look. Who posts from inside the update side with
// interrupts off, but in no NMI, still finds its locks held.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

constinit const Strategy defer_nmi = {
    .name = "defer_nmi",
    .sentence = "posts made in an NMI are staged on a lockless list; all others go as with irq_work",
    .bears = Bears::kNmi,
    .must_stage = only_in_nmi,
    .must_stage_nolock = only_in_nmi,
    .kick = kick_by_irq_work,
};

}  // namespace srcu
