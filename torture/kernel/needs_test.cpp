#include "torture/kernel/needs.hpp"

#include <gtest/gtest.h>

#include "srcu/core/usage.hpp"
#include "torture/kernel/context.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/natural.hpp"

namespace torture::kernel {
namespace {

struct MustBeDeferred : testing::Test {
  Machine machine;
  Task task{"test", cpu(0)};
  OnCpu on_cpu{task};
  srcu_struct ssp{nullptr, SRCU_KIND_NORMAL, nullptr, "test"};

  MustBeDeferred() {
    srcu_set_strategy(&ssp, "direct");
    put_on_kernel(&ssp);
    settle(ssp);
  }
  ~MustBeDeferred() override {
    srcu_barrier(&ssp);
    cleanup_srcu_struct(&ssp);
  }

  srcu::Usage& usage() { return srcu::usage_of(&ssp); }
  bool asked_in(const char* context, Cpu& where, unsigned place = 0) {
    struct Asked {
      srcu::Usage& usage;
      bool told = false;
    } asked{usage()};
    settle(ssp);
    find_context(context)->run_in({ssp, where, place}, {[](void* argument) {
                                                          auto& self = *static_cast<Asked*>(argument);
                                                          self.told = post_must_be_deferred(self.usage);
                                                        },
                                                        &asked});
    return asked.told;
  }
};

TEST_F(MustBeDeferred, WhereTheDirectPathMeetsItsOwnThreadsLock) {
  for (const char* context : {"rq_lock", "pi_lock", "pool_lock", "timer_base_lock", "sdp_lock"})
    EXPECT_TRUE(asked_in(context, cpu(0))) << context;
  EXPECT_TRUE(asked_in("nmi", cpu(0)));
}

TEST_F(MustBeDeferred, NotWhereNothingIsHeldThatItComesTo) {
  for (const char* context : {"none", "preempt_off", "irqs_off", "raw_lock", "hardirq", "malloc", "srcu_reader"})
    EXPECT_FALSE(asked_in(context, cpu(0))) << context;
  // Locks that posting may take, but not this one: the other CPU's.
  for (const char* context : {"rq_lock", "pi_lock", "pool_lock", "timer_base_lock"})
    EXPECT_FALSE(asked_in(context, cpu(1))) << context;
}

TEST_F(MustBeDeferred, NotFarAlongThePathIfAGracePeriodIsAskedFor) {
  const int section = srcu_read_lock(&ssp);  // keeps it from ending
  rcu_head head;
  call_srcu(&ssp, &head, [](rcu_head*) {});
  while (srcu::seq_state(usage().gp_seq.load(std::memory_order_relaxed)) == srcu::GpState::kIdle) srcu::env::yield();
  rcu_head second;  // of the grace period after that
  call_srcu(&ssp, &second, [](rcu_head*) {});
  {
    const IrqLock locked(cpu(0).rq_lock);
    EXPECT_FALSE(post_must_be_deferred(usage()));
  }
  {
    const srcu::IrqLocked locked(usage().data.lock);
    EXPECT_TRUE(post_must_be_deferred(usage()));
  }
  {
    const srcu::IrqLocked locked(usage().lock);
    EXPECT_FALSE(post_must_be_deferred(usage()));
  }
  srcu_read_unlock(&ssp, section);
  srcu_barrier(&ssp);
}

TEST_F(MustBeDeferred, NotUnderATimerBasesLockIfTheWakeUpArmsNone) {
  settle(ssp);
  {
    const IrqLock rq(cpu(0).rq_lock);
    cpu(0).account_pressure();
  }
  const IrqLock base(cpu(0).base(BaseKind::kGlobal).lock);
  EXPECT_FALSE(post_must_be_deferred(usage()));
}

TEST_F(MustBeDeferred, ThoughSomebodyElseHoldsTheLockNot) {
  std::atomic<bool> held{false}, let_go{false};
  harness::NamedThread holder("holder", {}, [&] {
    const IrqLock locked(cpu(0).rq_lock);
    held.store(true, std::memory_order_release);  // pairs with the acquire below
    while (!let_go.load(std::memory_order_acquire)) srcu::env::yield();
  });
  while (!held.load(std::memory_order_acquire)) srcu::env::yield();
  EXPECT_FALSE(post_must_be_deferred(usage()));
  let_go.store(true, std::memory_order_release);
}

}  // namespace
}  // namespace torture::kernel
