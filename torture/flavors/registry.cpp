#include "torture/flavors/registry.hpp"

#include <fmt/format.h>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "torture/flavors/table.hpp"

namespace torture {

namespace {

constexpr bool kForeign = true;

}  // namespace

const std::vector<Flavor>& flavors() {
  static const std::vector<Flavor> all = {
      {&srcu_normal, "", "this project's SRCU: a fence in every reader, a static domain", "busted_no_wait"},
      {&srcu_dynamic, "", "SRCU in a domain made at run time", "busted_no_wait"},
      {&srcu_nmisafe, "", "SRCU readers for handlers that interrupt anything", "busted_no_wait"},
      {&srcu_updown, "", "SRCU sections that another thread may close", "busted_no_wait"},
      {&srcu_fast, "", "SRCU readers without fences, updaters use membarrier", "busted_no_wait"},
      {&srcu_fast_updown, "", "the same, closed by another thread", "busted_no_wait"},
      {&tasks_trace, "", "RCU Tasks Trace: readers without tokens, on a fast domain", "busted_no_wait"},
      {&urcu_memb, "", "liburcu with membarrier: readers without fences", "busted_no_wait", kForeign},
      {&urcu_mb, "", "liburcu with a fence in every reader", "busted_no_wait", kForeign},
      {&urcu_qsbr, "", "liburcu, quiescent states: readers cost nothing", "busted_no_wait", kForeign},
      {&urcu_bp, "", "liburcu for programs that cannot register threads", "busted_no_wait", kForeign},
      {&hazptr_direct, "", "hazard pointers: what no reader names is given up", "busted_hazptr_unvalidated"},
      {&hazptr_deferred, "", "the same, retired through bpf_defer: by handlers, too", "busted_hazptr_unvalidated"},
      {&trivial, "", "a reader-writer lock, which must always pass", "busted_no_wait"},
      {&busted_no_wait, "too_short_gp", "synchronize returns at once", ""},
      {&busted_early_callback, "too_short_gp", "callbacks are invoked at once", ""},
      {&busted_lost_callback, "lost_callback", "one callback in 64 is forgotten", ""},
      {&busted_double_callback, "double_callback", "one callback in 64 is invoked twice", ""},
      {&busted_early_barrier, "early_barrier", "barrier returns at once", ""},
      {&busted_early_cookie, "early_cookie", "a cookie stands for the grace period that runs already", ""},
      {&busted_stuck_gp, "stalled_gp", "after a hundred grace periods one never ends", ""},
      {&busted_backwards_payload, "memory_order", "readers see an older element after a newer one", ""},
      {&busted_unbounded_garbage, "garbage_bound", "callbacks wait for the end of the domain", ""},
      {&busted_counter_mismatch, "counter_mismatch", "readers that count at one instant lose a count", ""},
      {&busted_no_forward_progress, "no_forward_progress", "after ten barriers one never returns", ""},
      {&busted_near_miss, "too_short_gp", "the sequence counts a grace period's beginning too", ""},
      {&busted_hazptr_unvalidated, "too_short_gp", "hazard pointers to what may be gone already", ""},
  };
  return all;
}

bool takes_strategy(const Ops& ops) {
  for (const Ops* each :
       {&srcu_normal, &srcu_dynamic, &srcu_nmisafe, &srcu_updown, &srcu_fast, &srcu_fast_updown, &tasks_trace})
    if (each == &ops) return true;
  return false;
}

const Flavor& find_flavor(std::string_view name) {
  std::vector<std::string> names;
  for (const Flavor& flavor : flavors()) {
    if (name == flavor.ops->name) return flavor;
    names.emplace_back(flavor.ops->name);
  }
  throw harness::UsageError(fmt::format("no flavour '{}'{} (all: srcutorture list flavors)", name,
                                        harness::did_you_mean(name, names)));
}

}  // namespace torture
