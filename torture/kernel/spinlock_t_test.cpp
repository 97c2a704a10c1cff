#include "torture/kernel/spinlock_t.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "torture/kernel/fault.hpp"
#include "torture/kernel/prover.hpp"
#include "torture/kernel/settings.hpp"

namespace torture::kernel {
namespace {

enum class Under { kNothing, kRawLock, kPreemptionOff };

// In a process of its own. What is found first: its check, or "ok".
[[noreturn]] void allocate(Under under, bool preempt_rt, bool proved) {
  settings.preempt_rt = preempt_rt;
  start_prover(proved);
  static Lock raw(unrelated_kind);
  static SpinlockT slab(slab_kind);
  if (under == Under::kRawLock) raw.lock();
  if (under == Under::kPreemptionOff) preempt_off();
  slab.lock();
  const bool irqs_off = srcu::irqs_off();
  slab.unlock();
  const Fault* const fault = wait_for_fault(0, 0);
  fprintf(stderr, "%s, interrupts %s", fault ? fault->check : "ok", irqs_off ? "off" : "on");
  _exit(0);
}

void expect(Under under, bool preempt_rt, bool proved, const char* words) {
  EXPECT_EXIT(allocate(under, preempt_rt, proved), testing::ExitedWithCode(0), words)
      << "case " << static_cast<int>(under) << (preempt_rt ? ", PREEMPT_RT" : "") << (proved ? ", proved" : "");
}

// Mutant of the notes: allocation under a raw lock. The prover objects on every kernel, PREEMPT_RT alone really sleeps.
TEST(SpinlockTDeathTest, UnderARawLockIsAnInvalidWaitContext) {
  expect(Under::kRawLock, false, true, "^wait_context, interrupts off");
  expect(Under::kRawLock, true, true, "^wait_context, interrupts on");
  expect(Under::kRawLock, false, false, "^ok, interrupts off");
  expect(Under::kRawLock, true, false, "^wait_context, interrupts on");
}

TEST(SpinlockTDeathTest, SleepsOnPreemptRtAlone) {
  expect(Under::kPreemptionOff, false, false, "^ok, interrupts off");
  expect(Under::kPreemptionOff, true, false, "^wait_context, interrupts on");
  for (const bool proved : {false, true}) {
    expect(Under::kNothing, false, proved, "^ok, interrupts off");
    expect(Under::kNothing, true, proved, "^ok, interrupts on");
  }
}

}  // namespace
}  // namespace torture::kernel
