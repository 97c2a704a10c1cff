// The lock of the update side. Held for a few instructions, with interrupts off.
#pragma once

#include <atomic>
#include <cstdint>

#include "srcu/platform/atomic.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/platform/irq.hpp"
#include "srcu/platform/proved.hpp"

namespace srcu {

/// Not recursive, not fair. A waiter spins, then yields, then sleeps: its holder may have been preempted, or have a
/// lower real-time priority on the same CPU.
class Spinlock {
 public:
  constexpr explicit Spinlock(LockClass lock_class = LockClass::kNone) : proved_(lock_class) {}
  bool try_acquire() {
    // ORD(L1): pairs with L2 of the previous holder: what it did under the lock is seen.
    return !held_.load(relaxed) && !held_.exchange(true, acquire(Ord::L1));  // relaxed: only a hint
  }
  /// `nest`: a held lock that serialises all who take several of this class.
  void acquire_lock(const Spinlock* nest = nullptr, Site site = Site::here()) {
    proved_.taking(this, nest, site);
    unsigned tries = 0;
    for (; !try_acquire(); ++tries) {
      if (tries < kLong) {
        env::cpu_relax();
        continue;
      }
      proved_.waits(this);
      if (tries < 10 * kLong)
        env::yield();
      else
        env::sleep_ns(1000);
    }
    proved_.taken(this, tries > kLong);
  }
  void drop() {
    held_.store(false, release(Ord::L2));  // ORD(L2): pairs with L1
    proved_.dropped(this);
  }

 private:
  static constexpr unsigned kLong = 100;  // tries

  std::atomic<bool> held_{false};
  [[no_unique_address]] Proved proved_;
};

/// Holds a lock with interrupts off while it lives.
class IrqLocked {
 public:
  explicit IrqLocked(Spinlock& lock, Site site = Site::here()) : lock_(lock) {
    irq_off();
    lock_.acquire_lock(nullptr, site);
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
