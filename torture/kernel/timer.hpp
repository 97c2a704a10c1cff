// A CPU's timers: three bases, one class of locks. Timers run in softirq; delayed work goes to the CPU's pool from there.
#pragma once

#include "srcu/host/host.hpp"
#include "torture/kernel/lock.hpp"

namespace torture::kernel {

/// Which of a CPU's bases a timer goes to.
enum class BaseKind { kLocal, kGlobal, kDeferrable };
inline constexpr unsigned kBases = 3;

/// A timer is a Work whose function runs in softirq, with no lock held.
using Timer = srcu::Work;

class TimerBase {
 public:
  /// Takes the base's lock. A timer that is armed, here or elsewhere, stays as it is.
  void arm(Timer& timer, uint64_t due_ns);
  /// Work that is queued by its owner's reckoning, and shall come to the pool at `due_ns`.
  void delay(srcu::Work& work, uint64_t due_ns);
  /// True if the work waited here; it does not any more.
  bool take(srcu::Work& work);
  /// Runs the timers that are due, and passes on the work that is. In softirq.
  void expire(uint64_t now_ns);
  /// Hands all that waits here to another CPU's base.
  void move_to(TimerBase& other);

  Lock lock{base_kind};

 private:
  static void insert(srcu::Work*& list, srcu::Work& work, uint64_t due_ns);
  static srcu::Work* take_due(srcu::Work*& list, uint64_t now_ns);

  srcu::Work* timers_ = nullptr;
  srcu::Work* delayed_ = nullptr;
};

}  // namespace torture::kernel
