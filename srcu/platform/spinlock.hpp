// The lock of the update side. Held for a few instructions, with interrupts off.
#pragma once

#include <atomic>
#include <cstdint>

#include "srcu/platform/atomic.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/platform/irq.hpp"

namespace srcu {

/// Not recursive, not fair. A waiter spins, then yields, then sleeps: its holder may have been preempted, or have a
/// lower real-time priority on the same CPU.
class Spinlock {
 public:
  bool try_acquire() {
    // ORD(L1): pairs with L2 of the previous holder: what it did under the lock is seen.
    return !held_.load(relaxed) && !held_.exchange(true, acquire(Ord::L1));  // relaxed: only a hint
  }
  void acquire_lock() {
    for (unsigned tries = 0; !try_acquire(); ++tries) {
      if (tries < 100)
        env::cpu_relax();
      else if (tries < 1000)
        env::yield();
      else
        env::sleep_ns(1000);
    }
  }
  void drop() { held_.store(false, release(Ord::L2)); }  // ORD(L2): pairs with L1

 private:
  std::atomic<bool> held_{false};
};

/// Holds a lock with interrupts off while it lives.
class IrqLocked {
 public:
  explicit IrqLocked(Spinlock& lock) : lock_(lock) {
    irq_off();
    lock_.acquire_lock();
  }
  ~IrqLocked() {
    lock_.drop();
    irq_on();
  }
  IrqLocked(const IrqLocked&) = delete;
  IrqLocked& operator=(const IrqLocked&) = delete;

 private:
  Spinlock& lock_;
};

}  // namespace srcu
