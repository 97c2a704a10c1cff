// What is compared: this library's readers and liburcu's, each as a bundle of static functions that the
// compiler can inline, so that a benchmark is one template.
#pragma once

// clang-format off
#include <urcu/tls-compat.h>
// C++'s thread_local has each access ask whether the variable wants a constructor run. A C program's readers do not pay
// that, and shall not here.
#undef URCU_TLS_STORAGE_CLASS
#define URCU_TLS_STORAGE_CLASS __thread
#include <urcu/urcu-memb.h>
#include <urcu/urcu-bp.h>
#include <urcu/urcu-mb.h>
#include <urcu/urcu-qsbr.h>
#include "srcu/srcu.h"  // after liburcu, whose struct rcu_head serves both
// clang-format on

namespace srcu_bench {

inline SRCU_DEFINE(normal_domain, SRCU_KIND_NORMAL);
inline SRCU_DEFINE(nmisafe_domain, SRCU_KIND_NORMAL);
inline SRCU_DEFINE(fast_domain, SRCU_KIND_FAST);
inline SRCU_DEFINE(fast_updown_domain, SRCU_KIND_FAST_UPDOWN);

/// Common to our flavours: threads need no registration.
template <srcu_struct& kDomain>
struct Ours {
  using Head = rcu_head;
  static void attach() {}
  static void detach() {}
  static void between_sections() {}
  static void synchronize() { synchronize_srcu(&kDomain); }
  static void call(rcu_head* head, rcu_callback_t func) { call_srcu(&kDomain, head, func); }
  static void hurry() {}
  static void barrier() { srcu_barrier(&kDomain); }
};

/// The same at expedited pace.
template <class Flavour>
struct Expedited : Flavour {
  static void synchronize() { synchronize_srcu_expedited(&Flavour::domain()); }
  static void hurry() { srcu_expedite_current(&Flavour::domain()); }
};

#define SRCU_BENCH_FLAVOUR(Name, the_domain, suffix)                   \
  struct Name : Ours<the_domain> {                                     \
    static srcu_struct& domain() { return the_domain; }                \
    static auto lock() { return srcu_read_lock##suffix(&the_domain); } \
    template <class Token>                                             \
    static void unlock(Token token) {                                  \
      srcu_read_unlock##suffix(&the_domain, token);                    \
    }                                                                  \
  }
SRCU_BENCH_FLAVOUR(Srcu, normal_domain, );
SRCU_BENCH_FLAVOUR(SrcuNmiSafe, nmisafe_domain, _nmisafe);
SRCU_BENCH_FLAVOUR(SrcuFast, fast_domain, _fast);
SRCU_BENCH_FLAVOUR(SrcuFastUpdown, fast_updown_domain, _fast_updown);
#undef SRCU_BENCH_FLAVOUR

struct SrcuUpdown : Ours<normal_domain> {
  static int lock() { return srcu_down_read(&normal_domain); }
  static void unlock(int token) { srcu_up_read(&normal_domain, token); }
};

struct TasksTrace : Ours<rcu_tasks_trace_srcu_struct> {
  static int lock() { return rcu_read_lock_trace(), 0; }
  static void unlock(int) { rcu_read_unlock_trace(); }
};

// Its headers declare what callbacks take for the flavour that comes first alone.
#define SRCU_BENCH_FLAVOUR(Name, prefix)                                                       \
  extern "C" void prefix##_call_rcu(rcu_head*, rcu_callback_t);                                \
  extern "C" void prefix##_barrier();                                                          \
  struct Name {                                                                                \
    using Head = rcu_head;                                                                     \
    static void attach() { prefix##_register_thread(); }                                       \
    static void detach() { prefix##_unregister_thread(); }                                     \
    static int lock() { return prefix##_read_lock(), 0; }                                      \
    static void unlock(int) { prefix##_read_unlock(); }                                        \
    static void between_sections() {}                                                          \
    static void synchronize() { prefix##_synchronize_rcu(); }                                  \
    static void call(rcu_head* head, rcu_callback_t func) { prefix##_call_rcu(head, func); }   \
    static void hurry() {}                                                                     \
    static void barrier() { prefix##_barrier(); }                                              \
  }
SRCU_BENCH_FLAVOUR(UrcuMemb, urcu_memb);
SRCU_BENCH_FLAVOUR(UrcuMb, urcu_mb);
SRCU_BENCH_FLAVOUR(UrcuQsbrSilent, urcu_qsbr);
SRCU_BENCH_FLAVOUR(UrcuBp, urcu_bp);
#undef SRCU_BENCH_FLAVOUR

struct UrcuQsbr : UrcuQsbrSilent {
  static void between_sections() { urcu_qsbr_quiescent_state(); }
};

}  // namespace srcu_bench
