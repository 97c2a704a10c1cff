// The services that the update side needs from whatever it runs on.
#pragma once

#include <cstdint>

#include "srcu/platform/irq.hpp"

namespace srcu {

/// A timer's tick, as in a kernel with HZ=1000: the shortest delay that is none.
inline constexpr uint64_t kJiffyNs = 1'000'000;

/// A function that a host runs in a thread of its own, now or later. Memory of the owner. Never runs twice at a time;
/// queued while it runs, it runs again.
struct Work {
  void (*run)(void* owner);
  void* owner;
  uint64_t due_ns = 0;  ///< The host's, as what follows.
  Work* next = nullptr;
  bool queued = false, running = false;
  unsigned place = 0;  ///< Where it ran last, or is to run, for hosts with several places: a number from 1. May be out of date.
};

struct Host {
  const char* name;

  /// Runs `work` in `delay_ns` or later; queued already, the earlier time holds. Takes the host's locks, never blocks
  /// otherwise. Interrupts may be off.
  void (*queue_delayed_work)(Work& work, uint64_t delay_ns);

  /// Returns when `work` is neither queued nor running; takes it off the queue if it has not begun. Sleeps.
  void (*cancel_work)(Work& work);

  /// Runs `work` as soon as interrupts are on, on what the host calls a CPU; nothing if it is queued and has not begun.
  /// Takes no lock. Any context, NMI too.
  void (*queue_irq_work)(IrqWork& work);

  /// Returns when `work` is neither queued nor running. Sleeps.
  void (*sync_irq_work)(IrqWork& work);

  /// Whether the calling thread holds, or is about to, any lock that queueing work, arming a timer or waking a task may
  /// take. The caller knows of Spinlocks by itself: see holds_spinlock(). Takes no lock. Any context.
  bool (*holds_lock)();

  /// The thread that runs works exists from now on. False if it cannot be had. May allocate.
  bool (*start)();

  /// \name Around fork(), in this order
  /// @{
  void (*pause)();  ///< Returns when no work runs; none begins before resume(). May sleep.
  void (*hold)();   ///< Takes the host's lock, with interrupts off.
  void (*let_go)();
  bool (*resume)(bool in_child);  ///< Lets go, and lets works run. As start() in a child whose parent had the thread.
  /// @}
};

/// One helper thread, no emulated locks.
extern const Host native_host;

}  // namespace srcu
