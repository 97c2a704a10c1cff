#include "torture/kernel/premise.hpp"

#include <fmt/format.h>

#include "srcu/lockdep.h"
#include "srcu/platform/proved.hpp"
#include "torture/kernel/lock.hpp"

namespace torture::kernel {

Premise premise_of_irqs_off() {
  const srcu_lockdep_class* const reached[] = {&srcu::own_lock_classes[static_cast<int>(srcu::LockClass::kData)],
                                               &srcu::own_lock_classes[static_cast<int>(srcu::LockClass::kUsage)],
                                               &pool_kind.lock_class,
                                               &pi_kind.lock_class,
                                               &rq_kind.lock_class,
                                               &base_kind.lock_class};
  Premise premise{.words = "premise of nolock:irqs_off: every lock that call_srcu() can reach is only ever held with interrupts off\n"};
  for (const srcu_lockdep_class* each : reached) {
    const uint32_t usage = srcu_lockdep_usage_of(each, 0);
    const bool with_irqs_on = usage & (SRCU_LOCKDEP_HARDIRQS_ON | SRCU_LOCKDEP_HARDIRQS_ON << 1);
    const char* const seen = with_irqs_on                    ? "was held with interrupts on: the premise is WRONG"
                             : (usage & SRCU_LOCKDEP_USED) ? "only ever with interrupts off"
                                                             : "not seen";
    premise.holds &= !with_irqs_on;
    premise.words += fmt::format("  {}: {}\n", each->name, seen);
  }
  return premise;
}

}  // namespace torture::kernel
