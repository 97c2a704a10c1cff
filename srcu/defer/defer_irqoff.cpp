// defer_irqoff: whenever interrupts are off or in NMI, a post goes to a lockless list and an irq_work takes it from
// there once they are on; the work is queued by an irq_work too. Proposed for the kernel as RCU_DEFER. Costs a locked
// exchange for each deferred post, and for others one look at a thread-local word.
#include <string.h>

#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

constinit const Strategy defer_irqoff = {
    "defer_irqoff",
    "stages posts made while interrupts are off, or in NMI; safe in signal handlers",
    [] { return irqs_off() || in_nmi(); },
    [](Usage& usage) { irq_work_queue(usage.gp_irq_work); },
};

const Strategy* find_strategy(const char* name) {
  for (const Strategy* strategy : {&direct, &defer_irqoff})
    if (strcmp(strategy->name, name) == 0) return strategy;
  return nullptr;
}

}  // namespace srcu
