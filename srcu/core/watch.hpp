// What the lock prover sees of domains, beside the locks: sections, those who wait for them, callbacks.
// Nothing without SRCU_LOCKDEP. Calls of the C API stand in reports by their name, since their callers' lines
// are not known here.
#pragma once

#include "srcu/core/usage.hpp"
#include "srcu/lockdep.h"

namespace srcu {

#ifdef SRCU_LOCKDEP

/// Who waits for sections, sleeps. In one, everything may be taken.
inline srcu_lockdep_class* section_class(const Usage& usage) {
  const char* const name = usage.domain->srcu_name;
  return srcu_lockdep_class_of(usage.domain, name ? name : "srcu domain", SRCU_LOCKDEP_SLEEP);
}

/// One helper runs the callbacks of all domains on the native host, so that each waits for all others there.
inline const void* callbacks_of(const Usage& usage) {
  // Not &usage.data, which is its lock's address too: who holds or waits for that is told apart by it.
  return usage.host == &native_host ? static_cast<const void*>(&native_host) : &usage.data.invoke_work;
}
inline srcu_lockdep_class* callback_class(const Usage& usage) {
  return srcu_lockdep_class_of(callbacks_of(usage), "srcu callbacks", SRCU_LOCKDEP_SLEEP);
}

/// A reader waits for nobody: as a trylock that succeeds, and anywhere. Who may be closed elsewhere is nobody's here.
inline void watch_opened(const Usage& usage, int read_kind) {
  if (!srcu_lockdep_on() || read_kind == SRCU_READ_UPDOWN || read_kind == SRCU_READ_FAST_UPDOWN) return;
  if (srcu_lockdep_class* const sections = section_class(usage))
    srcu_lockdep_acquire_at(usage.domain, sections, 0, SRCU_LOCKDEP_READ_RECURSIVE | SRCU_LOCKDEP_TRY,
                            nullptr, "srcu_read_lock()", 0);
}
inline void watch_closing(const Usage& usage, int read_kind) {
  if (read_kind == SRCU_READ_UPDOWN || read_kind == SRCU_READ_FAST_UPDOWN) return;
  srcu_lockdep_release(usage.domain);
}

inline void watch_sections_awaited(const Usage& usage, const char* function) {
  if (!srcu_lockdep_on()) return;
  if (srcu_lockdep_class* const sections = section_class(usage))
    srcu_lockdep_sync_at(usage.domain, sections, 0, SRCU_LOCKDEP_WRITE, function, 0);
}

inline void watch_callbacks_awaited(const Usage& usage, const char* function) {
  if (!srcu_lockdep_on()) return;
  if (srcu_lockdep_class* const callbacks = callback_class(usage))
    srcu_lockdep_sync_at(callbacks_of(usage), callbacks, 0, SRCU_LOCKDEP_WRITE, function, 0);
}

/// Callbacks run while it lives.
class WatchedCallbacks {
 public:
  explicit WatchedCallbacks(const Usage& usage) : callbacks_(callbacks_of(usage)) {
    if (!srcu_lockdep_on()) return;
    if (srcu_lockdep_class* const callbacks = callback_class(usage))
      srcu_lockdep_acquire_at(callbacks_, callbacks, 0, SRCU_LOCKDEP_READ_RECURSIVE, nullptr, "a callback",
                              0);
  }
  ~WatchedCallbacks() { srcu_lockdep_release(callbacks_); }
  WatchedCallbacks(const WatchedCallbacks&) = delete;
  WatchedCallbacks& operator=(const WatchedCallbacks&) = delete;

 private:
  const void* const callbacks_;
};

/// The domain is no more: another one at its address is another one to the prover, too.
inline void watch_forgotten(const Usage& usage) {
  srcu_lockdep_forget(usage.domain);
  if (callbacks_of(usage) != &native_host) srcu_lockdep_forget(callbacks_of(usage));
}

#else

inline void watch_opened(const Usage&, int) {}
inline void watch_closing(const Usage&, int) {}
inline void watch_sections_awaited(const Usage&, const char*) {}
inline void watch_callbacks_awaited(const Usage&, const char*) {}
inline void watch_forgotten(const Usage&) {}
struct WatchedCallbacks {
  explicit WatchedCallbacks(const Usage&) {}
};

#endif

}  // namespace srcu
