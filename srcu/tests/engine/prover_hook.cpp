// The lock prover's own orders: one thread sets the hook that another reports to. It is part of the kernel model's program, whose
// library has the prover in.
#include "harness/engine/test.hpp"
#include "srcu/lockdep.h"

/// In the place of syscall() in lockdep/report.cpp: who finds no hook prints.
extern "C" long srcu_prover_prints(long, ...) noexcept { return 0; }

namespace srcu::test {
namespace {

srcu_lockdep_class spins = SRCU_LOCKDEP_CLASS("spins", SRCU_LOCKDEP_SPIN), sleeps = SRCU_LOCKDEP_CLASS("sleeps", SRCU_LOCKDEP_SLEEP);
int told;

void set_hook() {
  srcu_lockdep_set_hook([](const srcu_lockdep_report*, void* argument) { ++*static_cast<int*>(argument); }, &told);
}

void take_what_sleeps_under_what_spins() {
  srcu_lockdep_acquire(&spins, &spins, SRCU_LOCKDEP_WRITE);
  srcu_lockdep_acquire(&sleeps, &sleeps, SRCU_LOCKDEP_WRITE);
  srcu_lockdep_release(&sleeps);
  srcu_lockdep_release(&spins);
}

}  // namespace
}  // namespace srcu::test

using namespace srcu::test;  // NOLINT: tests of it

ENGINE_TEST(prover_hook, "Who reports to a hook that is being set has its argument, or none yet.") {
  // Not srcu_lockdep_start(): it asks libc for a call at each fork, which would outlive the execution.
  test.init([] { __atomic_store_n(&srcu_lockdep_running, 1, __ATOMIC_RELAXED); });
  test.thread(set_hook).thread(take_what_sleeps_under_what_spins);
  test.fini([] { engine::check(srcu_lockdep_get_stats().reports == 1 && told <= 1, "not one report"); });
}
