#include "torture/kernel/premise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "srcu/core/usage.hpp"
#include "torture/kernel/cpu.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/natural.hpp"

namespace torture::kernel {
namespace {

// In a process of its own, since the prover forgets nothing.
[[noreturn]] void tell_premise(void (*after_the_walk)()) {
  srcu_lockdep_set_hook([](const srcu_lockdep_report*, void*) {}, nullptr);
  srcu_lockdep_start();
  {
    const Machine machine;
    Task task("test", cpu(0));
    const OnCpu on_cpu(task);
    srcu_struct ssp{nullptr, SRCU_KIND_NORMAL, nullptr, "test"};
    srcu_set_strategy(&ssp, "nolock:irqs_off");
    put_on_kernel(&ssp);
    walk_natural_paths(ssp);
    after_the_walk();
    cleanup_srcu_struct(&ssp);
  }
  const Premise premise = premise_of_irqs_off();
  fprintf(stderr, "%s%s", premise.words.c_str(), premise.holds ? "holds" : "does not hold");
  _exit(0);
}

TEST(PremiseDeathTest, HoldsOnNaturalPathsWhichTakeEveryLock) {
  EXPECT_EXIT(tell_premise([] {}), testing::ExitedWithCode(0),
              testing::AllOf(testing::HasSubstr("srcu_data.lock: only ever with interrupts off\n"),
                             testing::HasSubstr("timer_base.lock: only ever with interrupts off\n"),
                             testing::Not(testing::HasSubstr("not seen")), testing::HasSubstr("\nholds")));
}

TEST(PremiseDeathTest, NamesTheLockThatWasHeldWithInterruptsOn) {
  EXPECT_EXIT(tell_premise([] {
                cpu(0).pool.lock.lock();
                cpu(0).pool.lock.unlock();
              }),
              testing::ExitedWithCode(0),
              testing::AllOf(testing::HasSubstr("pool->lock: was held with interrupts on: the premise is WRONG\n"),
                             testing::HasSubstr("rq->__lock: only ever with interrupts off\n"),
                             testing::HasSubstr("\ndoes not hold")));
}

}  // namespace
}  // namespace torture::kernel
