// tasks_trace: call_rcu_tasks_trace() as call_srcu() on a fast domain, over defer_irqoff.
//
// Proposed by McKenney: v7.0's rewrite of RCU Tasks Trace, whose one domain is rcu_tasks_trace_srcu_struct; over irq_work
// at first, over RCU_DEFER in the later series.
// Claims: one mechanism less in the kernel, readers without fences, and callers who need to change nothing.
// Costs: those of defer_irqoff. The domain's kind is chosen where it is made, not here.
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

constinit const Strategy tasks_trace = {
    .name = "tasks_trace",
    .sentence = "call_rcu_tasks_trace() of v7.0 and later: call_srcu() on a fast domain, staged as with defer_irqoff",
    .bears = Bears::kAnything,
    .must_stage = with_irqs_off_or_in_nmi,
    .must_stage_nolock = with_irqs_off_or_in_nmi,
    .kick = kick_by_irq_work,
};

}  // namespace srcu
