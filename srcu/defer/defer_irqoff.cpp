// defer_irqoff: whenever interrupts are off or in NMI, a post goes to a lockless list and an irq_work takes it from
// there once they are on; the work is queued by an irq_work too.
//
// Proposed for the kernel as RCU_DEFER. McKenney's first option: call_srcu() sees to itself.
// Claims: posts are safe anywhere, since every lock of the update side is held with interrupts off alone.
// Costs: a locked exchange for each deferred post, of which many need none; for others one look at a thread-local word.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

constinit const Strategy defer_irqoff = {
    .name = "defer_irqoff",
    .sentence = "stages posts made while interrupts are off, or in NMI; safe in signal handlers",
    .bears = Bears::kAnything,
    .must_stage = with_irqs_off_or_in_nmi,
    .must_stage_nolock = with_irqs_off_or_in_nmi,
    .kick = kick_by_irq_work,
};

}  // namespace srcu
