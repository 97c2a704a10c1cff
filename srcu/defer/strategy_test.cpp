#include "srcu/defer/strategy.hpp"

#include <errno.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>

#include "srcu/core/usage.hpp"
#include "srcu/tests/manual_host.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;

TEST(Strategy, IsFoundByName) {
  EXPECT_EQ(find_strategy("direct"), &direct);
  EXPECT_EQ(find_strategy("defer_irqoff"), &defer_irqoff);
  for (const char* wrong : {"", "Direct", "defer", "defer_irqoff "}) EXPECT_EQ(find_strategy(wrong), nullptr) << wrong;
  for (const Strategy* strategy : {&direct, &defer_irqoff}) EXPECT_GT(std::string(strategy->sentence).size(), 10u);
}

TEST(Strategy, DirectNeverStages) {
  EXPECT_FALSE(direct.must_stage());
  irq_off();
  EXPECT_FALSE(direct.must_stage());
  irq_on();
  nmi_enter();
  EXPECT_FALSE(direct.must_stage());
  nmi_exit();
}

TEST(Strategy, DeferIrqoffStagesWithInterruptsOffAndInNmi) {
  EXPECT_FALSE(defer_irqoff.must_stage());
  irq_off();
  EXPECT_TRUE(defer_irqoff.must_stage());
  std::jthread([] { EXPECT_FALSE(defer_irqoff.must_stage()) << "another thread's"; }).join();
  irq_on();
  EXPECT_FALSE(defer_irqoff.must_stage());
  nmi_enter();
  EXPECT_TRUE(defer_irqoff.must_stage());
  nmi_exit();
}

class Kick : public test::OnManualHost {};

TEST_F(Kick, DirectQueuesUnderTheLock) {
  const IrqLocked locked(usage.lock);
  direct.kick(usage);
  EXPECT_EQ(next_turn(), 0u);
}

TEST_F(Kick, DeferIrqoffQueuesAfterIt) {
  {
    const IrqLocked locked(usage.lock);
    defer_irqoff.kick(usage);
    EXPECT_FALSE(next_turn());
  }
  EXPECT_EQ(next_turn(), 0u);
}

TEST(SetStrategy, TakesKnownNamesBeforeFirstUse) {
  Domain domain;
  EXPECT_EQ(domain.usage().strategy, &defer_irqoff) << "the default";
  EXPECT_EQ(srcu_set_strategy(domain, "direct"), 0);
  EXPECT_EQ(domain.usage().strategy, &direct);
  EXPECT_EQ(srcu_set_strategy(domain, "defer_irqoff"), 0);
  EXPECT_EQ(domain.usage().strategy, &defer_irqoff);
}

TEST(SetStrategy, RefusesUnknownNamesAndLeavesTheOldOne) {
  Domain domain;
  EXPECT_EQ(srcu_set_strategy(domain, "direkt"), -EINVAL);
  EXPECT_EQ(domain.usage().strategy, &defer_irqoff);
}

TEST(SetStrategy, RefusesAfterFirstUse) {
  Domain domain;
  synchronize_srcu(domain);
  EXPECT_EQ(srcu_set_strategy(domain, "direct"), -EBUSY);
  EXPECT_EQ(domain.usage().strategy, &defer_irqoff);
  Domain posted_to;
  Counted counted;
  posted_to.usage();
  counted.post(posted_to);
  EXPECT_EQ(srcu_set_strategy(posted_to, "direct"), -EBUSY);
}

TEST(SetStrategy, MakesAStaticDomain) {
  DEFINE_STATIC_SRCU(ssp);
  EXPECT_EQ(srcu_set_strategy(&ssp, "direct"), 0);
  EXPECT_EQ(usage_of(&ssp).strategy, &direct);
  cleanup_srcu_struct(&ssp);
}

TEST(SetStrategy, EachInvokesWhatIsPosted) {
  for (const char* name : {"direct", "defer_irqoff"}) {
    Domain domain;
    ASSERT_EQ(srcu_set_strategy(domain, name), 0);
    std::array<Counted, 50> counted;
    for (Counted& each : counted) each.post(domain);
    srcu_barrier(domain);
    for (Counted& each : counted) EXPECT_EQ(each.times(), 1u) << name;
  }
}

}  // namespace
}  // namespace srcu
