// Emulated CPUs: each has its runqueue's lock, its timer bases, its worker pool, and a tick.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "torture/kernel/irq_works.hpp"
#include "torture/kernel/pool.hpp"
#include "torture/kernel/settings.hpp"

namespace torture::kernel {

class Cpu {
 public:
  explicit Cpu(unsigned id);
  void start();
  void stop();

  /// PSI's accounting at a change of a task's state: arms its timer. The runqueue's lock is held.
  void account_pressure();
  TimerBase& base(BaseKind kind) { return bases[static_cast<unsigned>(kind)]; }
  /// Whether that would take a timer base's lock now. In passing.
  bool pressure_arms() const { return !pressure_armed_.load(std::memory_order_relaxed); }  // relaxed: as it says
  /// All workers sleep, and PSI's timer is not armed.
  bool quiet();
  /// For machines without self-IPI: a work that was claimed runs at the next tick. No lock.
  void run_at_next_tick(srcu::IrqWork& work);

  /// The real one that its threads are bound to, if any.
  std::optional<unsigned> pu() const;

  const unsigned id;
  Lock rq_lock{rq_kind};
  TimerBase bases[kBases];
  Pool pool;

  /// \name On- and offline. The first CPU stays online. Tasks of one that is offline count as the first one's; its timers
  /// and irq_works go there, its tick is none, and its workers, bound to nothing then, go on.
  /// @{
  void set_online(bool online);
  bool online() const { return online_.load(std::memory_order_acquire); }  // pairs with set_online()
  /// @}

 private:
  void tick_until_stopped();
  void tick();
  void run_irq_works();
  void hand_over();

  Task ticker_;
  Timer pressure_timer_;
  std::atomic<bool> online_{true}, pressure_armed_{false}, stopping_{false};
  IrqWorks at_next_tick_;
  std::optional<harness::NamedThread> thread_;
};

/// The machine, while it lives. One at a time.
class Machine {
 public:
  Machine();
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
};

Cpu& cpu(unsigned id);

/// Where the work ran last, or is to run; null if nowhere, or on a CPU of an earlier machine that this one lacks.
Cpu* last_cpu(srcu::Work& work);

/// queue_work_on(): to the pool where the work runs now, if it does, otherwise to this CPU's.
void queue_work(Cpu& cpu, srcu::Work& work);

/// Under the lock of its pool: the work is no longer queued, but runs.
void claim_run(srcu::Work& work);

}  // namespace torture::kernel
