// What call_srcu() does so that a grace period comes about, wherever it was called from.
#pragma once

#include <cstdint>

struct rcu_head;

namespace srcu {

struct Host;
struct Usage;

/// Files the callback and asks for its grace period: core/callbacks.cpp.
void enqueue(Usage& usage, rcu_head* head);

/// \name Parts that strategies are made of: parts.cpp
/// @{
bool never(Usage& usage);
bool with_irqs_off_or_in_nmi(Usage& usage);
bool only_in_nmi(Usage& usage);
void kick_now(Usage& usage);          ///< The host's locks are taken under the domain's.
void kick_by_irq_work(Usage& usage);  ///< And here they are not.
void drain_by_irq_work(Usage& usage);
/// @}

/// What a post may come on top of: by call_srcu_nolock(), which for most strategies is call_srcu().
enum class Bears : uint8_t {
  kNoHandler,  ///< Not of this thread's update side.
  kNmi,        ///< Of anything, by a handler that says nmi_enter().
  kAnything,   ///< By any signal handler, too.
};

/// One way of deferring. Stateless; a domain points to one.
struct Strategy {
  const char* name;
  const char* sentence;  ///< For lists.
  Bears bears;

  /// Whether call_srcu(), called here and now, must stage the callback instead of taking locks. Any context.
  bool (*must_stage)(Usage& usage);

  /// The same for call_srcu_nolock().
  bool (*must_stage_nolock)(Usage& usage);

  /// A grace period was asked for while the domain is idle, or in a hurry: see to it that process_grace_periods() runs.
  /// The domain's lock is held, interrupts are off.
  void (*kick)(Usage& usage);

  /// Posts what need not be staged.
  void (*post)(Usage& usage, rcu_head* head) = enqueue;

  /// The first post was staged: see to it that drain_staged() runs. Any context, no lock.
  void (*drain_soon)(Usage& usage) = drain_by_irq_work;
};

extern const Strategy direct, rc4, delayed, irq_work, defer_nmi, defer_irqoff, nolock_always, nolock_irqs_off, nolock_in_nmi,
    nolock_held_lock_table, nolock_lock_bit, bpf_defer_strategy, tasks_trace_legacy, tasks_trace;

/// All of them, in the order of lists; null ends it.
extern const Strategy* const all_strategies[];

/// Null if there is none of that name. "nolock" is nolock:irqs_off.
const Strategy* find_strategy(const char* name);

/// Makes ready what tasks_trace_legacy has in each domain.
void prepare_legacy(Usage& usage);
/// Queues its timer, if it is armed and may have been taken off the host's queue.
void rearm_legacy(Usage& usage);

// The queue behind bpf_defer(): bpf_defer.cpp.

/// On whose CPUs and threads it is served; before anything is handed over.
void set_defer_host(const Host& host);
/// Returns when all that was handed over before has run. For barriers, cleanup, and hosts that lose a CPU. Sleeps.
void flush_deferred();
/// True in a function that was handed over.
bool in_deferred();
void repair_deferred();  ///< In a forked child.
void resume_deferred();  ///< After a fork.

}  // namespace srcu
