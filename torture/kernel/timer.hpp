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
  /// mod_timer(), but an earlier time that was set before stays. Takes the base's lock.
  void arm(Timer& timer, uint64_t due_ns) { insert(timers_, timer, due_ns); }
  /// Work that is queued already by its owner's reckoning, and shall come to the pool at `due_ns`.
  void delay(srcu::Work& work, uint64_t due_ns) { insert(delayed_, work, due_ns); }
  /// True if the work was there; it is not any more.
  bool take(srcu::Work& work);
  /// Runs the timers that are due, and passes on the work that is. In softirq.
  void expire(uint64_t now_ns);
  bool empty();

  Lock lock{base_kind};

 private:
  void insert(srcu::Work*& list, srcu::Work& work, uint64_t due_ns);
  static srcu::Work* take_due(srcu::Work*& list, uint64_t now_ns);

  srcu::Work* timers_ = nullptr;
  srcu::Work* delayed_ = nullptr;
};

}  // namespace torture::kernel
