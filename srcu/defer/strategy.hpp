// What call_srcu() does so that a grace period comes about, wherever it was called from.
#pragma once

namespace srcu {

struct Usage;

/// One way of deferring. Stateless; a domain points to one.
struct Strategy {
  const char* name;
  const char* sentence;  ///< For lists.

  /// Whether call_srcu(), called here and now, must stage the callback instead of taking locks. Any context.
  bool (*must_stage)();

  /// A grace period was asked for while the domain is idle: see to it that process_grace_periods() runs. The domain's
  /// lock is held, interrupts are off.
  void (*kick)(Usage& usage);
};

extern const Strategy direct, defer_irqoff;

/// Null if there is none of that name.
const Strategy* find_strategy(const char* name);

}  // namespace srcu
