// What several strategies have in common, and the table of all.
#include <string.h>

#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"

namespace srcu {

bool never(Usage&) { return false; }
bool with_irqs_off_or_in_nmi(Usage&) { return irqs_off() || in_nmi(); }
bool only_in_nmi(Usage&) { return in_nmi(); }

void kick_now(Usage& usage) { usage.host->queue_delayed_work(usage.gp_work, 0); }
void kick_by_irq_work(Usage& usage) { usage.host->queue_irq_work(usage.gp_irq_work); }

void drain_by_irq_work(Usage& usage) {
  usage.host->queue_irq_work(draining() ? usage.data.staged.later : usage.data.staged.drain);
}

constinit const Strategy* const all_strategies[] = {&direct,
                                                    &rc4,
                                                    &delayed,
                                                    &irq_work,
                                                    &defer_nmi,
                                                    &defer_irqoff,
                                                    &nolock_always,
                                                    &nolock_irqs_off,
                                                    &nolock_in_nmi,
                                                    &nolock_held_lock_table,
                                                    &nolock_lock_bit,
                                                    &bpf_defer_strategy,
                                                    &tasks_trace_legacy,
                                                    &tasks_trace,
                                                    nullptr};

const Strategy* find_strategy(const char* name) {
  if (!name) return nullptr;
  if (strcmp(name, "nolock") == 0) return &nolock_irqs_off;
  for (const Strategy* const* at = all_strategies; *at; ++at)
    if (strcmp((*at)->name, name) == 0) return *at;
  return nullptr;
}

}  // namespace srcu
