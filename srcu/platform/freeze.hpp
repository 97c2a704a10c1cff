// A fork that is under way, as everybody else sees it. It holds the library's locks, and waits for others meanwhile: fork()
// for those of malloc(), a pthread_atfork() handler for any mutex. Their holders may be about to take one of ours: to post
// under that mutex, or in a handler that interrupted malloc(). So they turn away, and leave what they wanted for the fork's end.
#pragma once

#include "srcu/platform/spinlock.hpp"

namespace srcu {

/// The forks' word: one is under way; somebody has left something for its end.
inline constexpr uint32_t kFrozen = 1, kLeft = 2;
inline constinit std::atomic<uint32_t> fork_word{0};

/// A fork holds locks, or is about to take them. relaxed: a spinning thread sees it some time. Of a domain that was made
/// meanwhile, whose locks a fork does not hold, whoever has found it sees it at once: registry.cpp.
inline bool frozen() { return fork_word.load(relaxed) & kFrozen; }

inline void freeze() { fork_word.store(kFrozen, relaxed); }  // relaxed: as just said

/// True if something was left.
inline bool thaw() {
  // ORD(F2): pairs with F1.
  return fork_word.exchange(0, acquire(Ord::F2)) & kLeft;
}

/// Says that something was left, which is done when the fork is over. False if it is over: then it is the caller's to do.
inline bool left_for_thaw() {
  uint32_t seen = fork_word.load(relaxed);  // relaxed: the exchange confirms it
  while (seen & kFrozen) {
    // ORD(F1): pairs with F2: what was left is seen. In one step with the look at the fork, so that it is not over before.
    if (fork_word.compare_exchange_weak(seen, seen | kLeft, release(Ord::F1), relaxed)) return true;
  }
  return false;
}

/// For who may sleep and holds nothing that a fork waits for: returns when none is under way. It may take long in a large
/// process.
void await_thaw();

/// IrqLocked, for who may hold what a fork waits for: false, at once, while one is under way.
class IrqLockedUnlessFrozen {
 public:
  explicit IrqLockedUnlessFrozen(Spinlock& lock, Site site = Site::here()) : lock_(lock) {
    irq_off();
    held_ = lock_.acquire_unless(frozen, site);
    if (!held_) irq_on();
  }
  ~IrqLockedUnlessFrozen() {
    if (!held_) return;
    lock_.drop();
    irq_on();
  }
  IrqLockedUnlessFrozen(const IrqLockedUnlessFrozen&) = delete;
  IrqLockedUnlessFrozen& operator=(const IrqLockedUnlessFrozen&) = delete;

  explicit operator bool() const { return held_; }

 private:
  Spinlock& lock_;
  bool held_;
};

/// Runs `body` with `lock` held and interrupts off. While a fork is under way `leave` instead, which takes no lock and
/// notes what is to be done when it is over.
template <class Body, class Leave>
void locked_or_left(Spinlock& lock, Body body, Leave leave, Site site = Site::here()) {
  for (;;) {
    {
      const IrqLockedUnlessFrozen locked(lock, site);
      if (locked) return body();
    }
    leave();
    if (left_for_thaw()) return;
  }
}

}  // namespace srcu
