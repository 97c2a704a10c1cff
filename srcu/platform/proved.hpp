// How the library's own locks and contexts show themselves to the prover (srcu/lockdep.h). Nothing at all
// without SRCU_LOCKDEP.
#pragma once

#include "srcu/lockdep.h"

namespace srcu {

/// The classes of the library's locks. kNone: the prover does not see it.
enum class LockClass { kData, kUsage, kHost, kRegistry, kHeads, kFork, kLazy, kNone };

#ifdef SRCU_LOCKDEP

extern srcu_lockdep_class own_lock_classes[static_cast<int>(LockClass::kNone)];

/// Where a lock is taken: the default for a parameter.
struct Site {
  const char* file;
  unsigned line;
  static constexpr Site here(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
    return {file, line};
  }
};

/// What others do at the library's locks, besides proving. Signal-safe.
struct LockWatch {
  void (*taken)(LockClass lock_class);  ///< It was just taken; interrupts are off.
  void (*waits)(const void* lock);      ///< It has not been had for long: called again and again, in the waiting thread.
  void (*had)(const void* lock);        ///< That waiting is over.
};
/// Null: nothing. Set while no thread is at the library's locks.
extern const LockWatch* lock_watch;

/// A lock's class, as a member.
class Proved {
 public:
  constexpr explicit Proved(LockClass lock_class) : lock_class_(lock_class) {}
  void taken(const void* lock, bool waited) const {
    if (!lock_watch) [[likely]]
      return;
    if (waited) lock_watch->had(lock);
    if (lock_class_ != LockClass::kNone) lock_watch->taken(lock_class_);
  }
  void waits(const void* lock) const {
    if (lock_watch) lock_watch->waits(lock);
  }
  void gave_up(const void* lock, bool waited) const {
    if (waited && lock_watch) lock_watch->had(lock);
    dropped(lock);
  }
  void taking(const void* lock, const void* nest, Site site) const {
    if (lock_class_ != LockClass::kNone)
      srcu_lockdep_acquire_at(lock, &own_lock_classes[static_cast<int>(lock_class_)], 0, SRCU_LOCKDEP_WRITE,
                              nest, site.file, site.line);
  }
  void dropped(const void* lock) const {
    if (lock_class_ != LockClass::kNone) srcu_lockdep_release(lock);
  }

 private:
  LockClass lock_class_;
};

#else

struct Site {
  static constexpr Site here() { return {}; }
};

class Proved {
 public:
  constexpr explicit Proved(LockClass) {}
  void taken(const void*, bool) const {}
  void waits(const void*) const {}
  void gave_up(const void*, bool) const {}
  void taking(const void*, const void*, Site) const {}
  void dropped(const void*) const {}
};

#endif

}  // namespace srcu
