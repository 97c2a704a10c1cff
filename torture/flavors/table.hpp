// How the built-in flavours fill in their tables.
#pragma once

#include "torture/ops.hpp"

namespace torture {

/// `ops` with version and size of this build.
constexpr Ops table(Ops ops) {
  ops.version = SRCUTORTURE_OPS_VERSION;
  ops.size = sizeof(Ops);
  return ops;
}

/// \name The tables, for the registry and for flavours made from others
/// @{
extern const Ops srcu_normal, srcu_dynamic, srcu_nmisafe, srcu_updown, srcu_fast, srcu_fast_updown, tasks_trace;
extern const Ops urcu_memb, urcu_mb, urcu_qsbr, urcu_bp, trivial, hazptr_direct, hazptr_deferred;
extern const Ops busted_no_wait, busted_early_callback, busted_lost_callback, busted_double_callback,
    busted_early_barrier, busted_early_cookie, busted_stuck_gp, busted_backwards_payload,
    busted_unbounded_garbage, busted_counter_mismatch, busted_no_forward_progress, busted_near_miss,
    busted_hazptr_unvalidated;
/// @}

}  // namespace torture
