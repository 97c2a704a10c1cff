// RCU Tasks Trace on a fast domain. Its readers carry no token, so each thread keeps its own: a stack of one bit each.
#include "srcu/core/misuse.hpp"
#include "srcu/platform/atomic.hpp"
#include "srcu/srcu.h"

extern "C" {

DEFINE_SRCU_FAST(rcu_tasks_trace_srcu_struct);

namespace {
// A handler in between pushes and pops as much, and so leaves both as they were.
thread_local constinit uint64_t ranks = 0;
thread_local constinit uint32_t depth = 0;
}  // namespace

void rcu_read_lock_trace() {
  srcu::check_trace_opening(depth);
  const int rank = srcu_rank_of(srcu_read_lock_fast(&rcu_tasks_trace_srcu_struct));
  ranks = ranks << 1 | static_cast<uint64_t>(rank);
  ++depth;
  srcu::signal_fence();
}

void rcu_read_unlock_trace() {
  srcu::check_trace_closing(depth);
  srcu::signal_fence();
  const auto rank = static_cast<int>(ranks & 1);
  ranks >>= 1;
  --depth;
  srcu_generic_read_unlock(&rcu_tasks_trace_srcu_struct, rank, SRCU_READ_FAST);
}

bool rcu_read_lock_trace_held() { return depth != 0; }

}  // extern "C"
