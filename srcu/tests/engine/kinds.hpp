// All kinds of readers behind one face, each with a domain of its kind, that first use makes.
#pragma once

#include <srcu/srcu.h>

namespace srcu::test {

inline DEFINE_SRCU(normal_domain);
inline DEFINE_SRCU_FAST(fast_domain);
inline DEFINE_SRCU_FAST_UPDOWN(fast_updown_domain);

struct Normal {
  static srcu_struct* domain() { return &normal_domain; }
  static int lock() { return srcu_read_lock(&normal_domain); }
  static void unlock(int token) { srcu_read_unlock(&normal_domain, token); }
};
struct NmiSafe {
  static srcu_struct* domain() { return &normal_domain; }
  static int lock() { return srcu_read_lock_nmisafe(&normal_domain); }
  static void unlock(int token) { srcu_read_unlock_nmisafe(&normal_domain, token); }
};
struct Updown {
  static srcu_struct* domain() { return &normal_domain; }
  static int lock() { return srcu_down_read(&normal_domain); }
  static void unlock(int token) { srcu_up_read(&normal_domain, token); }
};
struct Fast {
  static srcu_struct* domain() { return &fast_domain; }
  static srcu_ctr* lock() { return srcu_read_lock_fast(&fast_domain); }
  static void unlock(srcu_ctr* token) { srcu_read_unlock_fast(&fast_domain, token); }
};
struct FastUpdown {
  static srcu_struct* domain() { return &fast_updown_domain; }
  static srcu_ctr* lock() { return srcu_read_lock_fast_updown(&fast_updown_domain); }
  static void unlock(srcu_ctr* token) { srcu_read_unlock_fast_updown(&fast_updown_domain, token); }
};
struct TasksTrace {
  static srcu_struct* domain() { return &rcu_tasks_trace_srcu_struct; }
  static int lock() { return rcu_read_lock_trace(), 0; }
  static void unlock(int) { rcu_read_unlock_trace(); }
};

}  // namespace srcu::test
