// Real deadlocks, found as soon as they are there: who waits for a lock for long looks whether its holder waits, too, and
// so on; a ring of these, or a lock that its own holder waits for, is a fault. What a thread holds is known from the
// prover's stack, which is filled before the lock word is taken, and which handlers on the thread continue.
#pragma once

#include "srcu/platform/proved.hpp"

namespace torture::kernel {

#ifdef SRCU_LOCKDEP

/// The calling thread takes part while this lives. `name` must live as long.
class Member {
 public:
  explicit Member(const char* name);
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

 private:
  int own_ = -1;  ///< Its entry; none if the thread takes part already.
};

/// What all members hold and wait for, one lock a line. Any context. Returns the length, as snprintf().
int describe_members(char* text, unsigned size);

/// What the model does at every lock.
extern const srcu::LockWatch watch_for_deadlocks;

/// The library's locks are watched, too.
inline void watch_srcu_locks(bool on) { srcu::lock_watch = on ? &watch_for_deadlocks : nullptr; }

#else

// Without the prover nobody knows who holds what, and nobody looks: the model as benchmarks want it.

struct Member {
  explicit Member(const char*) {}
};
inline int describe_members(char*, unsigned) { return 0; }
struct NoWatch {
  static void waits(const void*) {}
  static void had(const void*) {}
};
inline constexpr NoWatch watch_for_deadlocks;
inline void watch_srcu_locks(bool) {}

#endif

}  // namespace torture::kernel
