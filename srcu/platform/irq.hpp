// "Interrupts off", per thread: a nesting count that is held around every lock of this library. A signal handler sees
// from it whether it interrupted the update side. What must wait for the end of that is an IrqWork.
#pragma once

#include <atomic>
#include <cstdint>

#include "srcu/lockdep.h"
#include "srcu/platform/atomic.hpp"

namespace srcu {

/// A function that shall run as soon as the queueing thread has interrupts on. Queueing takes no lock. Memory of the
/// owner; reuse after it ran.
struct IrqWork {
  void (*run)(void* owner);
  void* owner;
  std::atomic<uint32_t> state{0};
  IrqWork* next = nullptr;
};

/// One thread's state. All of it is written by this thread and by handlers on it alone; atomic so that a handler finds
/// whole values, relaxed because there is no other thread.
struct IrqState {
  std::atomic<uint32_t> off;
  std::atomic<uint32_t> nmi;
  std::atomic<IrqWork*> pending;
  std::atomic<uint32_t> locks;  ///< Spinlocks (spinlock.hpp) that it holds, or is about to.
};
extern thread_local constinit IrqState irq_state;

inline bool irqs_off() { return irq_state.off.load(relaxed) != 0; }
inline bool in_nmi() { return irq_state.nmi.load(relaxed) != 0; }

/// Runs the calling thread's pending works. Interrupts are on, and it is in no NMI.
void run_irq_works();

inline void irq_off() {
  srcu_lockdep_hardirqs_off();
  irq_state.off.store(irq_state.off.load(relaxed) + 1, relaxed);
  signal_fence();  // a handler sees the count before anything that it protects
}
inline void irq_on() {
  srcu_lockdep_hardirqs_on();
  signal_fence();  // and until all of that is done
  const uint32_t off = irq_state.off.load(relaxed) - 1;
  irq_state.off.store(off, relaxed);
  signal_fence();  // a handler that still saw the old count has left its work where we look now
  if (off == 0 && !in_nmi() && irq_state.pending.load(relaxed)) [[unlikely]]
    run_irq_works();
}

/// For hosts whose handlers ignore the irq-off state. What a handler queued runs after it, if it interrupted code with
/// interrupts on.
inline void nmi_enter() {
  srcu_lockdep_nmi_enter();
  irq_state.nmi.store(irq_state.nmi.load(relaxed) + 1, relaxed);
}
inline void nmi_exit() {
  const uint32_t nmi = irq_state.nmi.load(relaxed) - 1;
  irq_state.nmi.store(nmi, relaxed);
  srcu_lockdep_nmi_exit();
  signal_fence();  // a handler that still saw the old count has left its work where we look now
  // With interrupts off below us, whoever turns them on looks.
  if (nmi == 0 && !irqs_off() && irq_state.pending.load(relaxed)) [[unlikely]]
    run_irq_works();
}

/// Runs `work` when interrupts are next on in this thread and no NMI runs, at once if so it is. Nothing if it is already
/// queued and has not begun. Any context, NMI too.
void irq_work_queue(IrqWork& work);

/// \name The two halves of it, for hosts that run works in their own way
/// @{
/// True if it was not queued before: then it must be run.
bool irq_work_claim(IrqWork& work);
void irq_work_run(IrqWork& work);
/// @}

/// Returns when `work` is neither queued nor running. May sleep.
void irq_work_sync(IrqWork& work);

}  // namespace srcu
