// The lock of the update side. Held with interrupts off, and briefly: srcu/DESIGN.md, section 6, has the exceptions.
#pragma once

#include <atomic>
#include <cstdint>

#include "srcu/platform/atomic.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/platform/irq.hpp"
#include "srcu/platform/proved.hpp"

namespace srcu {

/// The word of a lock. Not recursive, not fair. A waiter spins, then yields, then sleeps: its holder may have been preempted,
/// or have a lower real-time priority on the same CPU.
class SpinWord {
 public:
  bool try_take() {
    // ORD(L1): pairs with L2 of the previous holder: what it did under the lock is seen.
    return !held_.load(relaxed) && !held_.exchange(true, acquire(Ord::L1));  // relaxed: only a hint
  }
  /// Calls `waits` again and again once it takes long; true if it did.
  template <class Waits>
  bool take(Waits waits) {
    bool waited = false;
    take_unless([] { return false; }, waits, waited);
    return waited;
  }
  /// The same, but gives up as soon as `stop` says so, also before the first try. True if it is taken.
  template <class Stop, class Waits>
  bool take_unless(Stop stop, Waits waits, bool& waited) {
    for (unsigned tries = 0;; ++tries) {
      waited = tries > kLong;
      if (stop()) return false;
      if (try_take()) return true;
      if (tries < kLong) {
        env::cpu_relax();
        continue;
      }
      waits();
      if (tries < 10 * kLong)
        env::yield();
      else
        env::sleep_ns(1000);
    }
  }
  void drop() { held_.store(false, release(Ord::L2)); }  // ORD(L2): pairs with L1
  bool is_taken() const { return held_.load(relaxed); }  // relaxed: a look in passing

 private:
#ifdef SRCU_SPIN_TRIES  // for builds where a waiter can be told from a slow holder at once
  static constexpr unsigned kLong = SRCU_SPIN_TRIES;
#else
  static constexpr unsigned kLong = 100;
#endif

  std::atomic<bool> held_{false};
};

/// Counted in its thread, and shown to the prover.
class Spinlock {
 public:
  constexpr explicit Spinlock(LockClass lock_class = LockClass::kNone) : proved_(lock_class) {}
  bool try_acquire() {
    count(1);
    if (word_.try_take()) return true;
    count(-1);
    return false;
  }
  /// `nest`: a held lock that serialises all who take several of this class.
  void acquire_lock(const Spinlock* nest = nullptr, Site site = Site::here()) {
    count(1);
    proved_.taking(this, nest, site);
    const bool waited = word_.take([this] { proved_.waits(this); });
    proved_.taken(this, waited);
  }
  /// False if it was not taken, because `stop` said so before it was free.
  template <class Stop>
  bool acquire_unless(Stop stop, Site site) {
    count(1);
    proved_.taking(this, nullptr, site);
    bool waited = false;
    if (word_.take_unless(stop, [this] { proved_.waits(this); }, waited)) {
      proved_.taken(this, waited);
      return true;
    }
    proved_.gave_up(this, waited);
    count(-1);
    return false;
  }
  void drop() {
    word_.drop();
    proved_.dropped(this);
    count(-1);
  }

  /// Whether anybody holds it now.
  bool is_taken() const { return word_.is_taken(); }

 private:
  // Up before the word is taken and the prover told, and down after both are free of it: a handler in between takes the lock
  // for held, as the prover does.
  static void count(int by) {
    signal_fence();
    // relaxed, both: the thread's own, and its handlers'
    irq_state.locks.store(irq_state.locks.load(relaxed) + static_cast<uint32_t>(by), relaxed);
    signal_fence();
  }

  SpinWord word_;
  [[no_unique_address]] Proved proved_;
};

/// Whether the calling thread holds any Spinlock, or is about to. Any context.
inline bool holds_spinlock() { return irq_state.locks.load(relaxed) != 0; }  // relaxed: the thread's own

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
