// Misuse, caught in debug builds: one line that says what, where, and how to mend it, then abort(). In release builds
// these are nothing.
#pragma once

#include "srcu/core/usage.hpp"

namespace srcu {

#ifdef SRCU_DEBUG

/// Another kind of reader than the domain has, or has had so far.
void check_reader_kind(Usage& usage, int read_kind);
void note_opened(Usage& usage, uint32_t rank, int read_kind);
/// No section open by that token; a token that none gave. One of another open section closes that one, for all we know:
/// a token is a rank, and even if it were a name, its owner would be the only one who knows which section he meant.
void check_closing(Usage& usage, int idx, int read_kind);
bool maybe_inside(const srcu_struct* ssp);                 ///< The calling thread is in a section.
void check_not_inside(Usage& usage, const char* function);  ///< Waiting for oneself.
void check_not_in_callback(Usage& usage, const char* function);
void check_fresh(const srcu_struct* ssp);  ///< A domain that is made twice.
void note_posted(Usage& usage, const rcu_head* head);  ///< A head that is still waiting. The data's lock is held.
void note_staged_twice(const Usage& usage, const rcu_head* head);  ///< The same, before it got there.
void note_invoked(const rcu_head* head);
void check_fork_not_in_callback();
void check_flush_not_in_callback();
/// In a handler that interrupted the library, or while a fork holds it still: locks of its own are held below.
void check_not_at_work(const srcu_struct* ssp, const char* function, const Host* host = &native_host);
void check_not_moved(const Usage& usage, const srcu_struct* ssp);  ///< It was made elsewhere.
void check_function(const Usage& usage, const rcu_head* head, rcu_callback_t func);  ///< There is none.
/// \name rcu_read_lock_trace() with so many open, in this thread, and its unlock
/// @{
void check_trace_opening(uint32_t open);
void check_trace_closing(uint32_t open);
/// @}

#else

inline void check_reader_kind(Usage&, int) {}
inline void note_opened(Usage&, uint32_t, int) {}
inline void check_closing(Usage&, int, int) {}
inline bool maybe_inside(const srcu_struct*) { return true; }
inline void check_not_inside(Usage&, const char*) {}
inline void check_not_in_callback(Usage&, const char*) {}
inline void check_fresh(const srcu_struct*) {}
inline void note_posted(Usage&, const rcu_head*) {}
inline void note_staged_twice(const Usage&, const rcu_head*) {}
inline void note_invoked(const rcu_head*) {}
inline void check_fork_not_in_callback() {}
inline void check_flush_not_in_callback() {}
inline void check_not_at_work(const srcu_struct*, const char*, const Host* = nullptr) {}
inline void check_not_moved(const Usage&, const srcu_struct*) {}
inline void check_function(const Usage&, const rcu_head*, rcu_callback_t) {}
inline void check_trace_opening(uint32_t) {}
inline void check_trace_closing(uint32_t) {}

#endif

}  // namespace srcu
