#include "torture/kernel/nmi_step.hpp"

#include <gtest/gtest.h>

#include "harness/threads/stepper.hpp"
#include "torture/kernel/strategies.hpp"

namespace torture {
namespace {

NmiOutcome nmi_step(
    const NmiCase& one, const std::function<void()>& beat = [] {}) {
  NmiOutcome found;
  const auto go_on = [&beat] {
    beat();
    return true;
  };
  torture::nmi_step({one}, 1, go_on,
                    [&found](const NmiCase&, const NmiOutcome& outcome) { found = outcome; });
  return found;
}

class NmiStep : public testing::TestWithParam<NmiCase> {};

/// Scenario NMI-STEP runs all.
std::vector<NmiCase> one_of_each_path() {
  std::vector<NmiCase> cases = nmi_cases({"defer_irqoff"});
  std::erase_if(cases, [](const NmiCase& one) { return one.readers.kind != SRCU_KIND_FAST || one.state != NmiState::kIdle; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(, NmiStep, testing::ValuesIn(one_of_each_path()), [](const auto& info) {
  std::string name = info.param.name();
  for (char& c : name)
    if (c == '/' || c == ':') c = '_';
  return name;
});

TEST_P(NmiStep, EveryInstructionBearsAnNmi) {
  if (const std::string why = harness::Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  const NmiOutcome outcome = nmi_step(GetParam());
  EXPECT_EQ(outcome.check, "") << outcome.message;
  EXPECT_GT(outcome.places, 5u);
}

// That a deadlock is seen, and where: `direct` makes no claim.
TEST(NmiStepOfDirect, DeadlocksUnderALockAndSaysWhere) {
  if (const std::string why = harness::Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  unsigned beats = 0;
  const NmiOutcome outcome =
      nmi_step({NmiState::kIdle, nmi_readers()[0], NmiPath::kPost, "direct"}, [&beats] { ++beats; });
  EXPECT_EQ(outcome.check, "self_deadlock");
  EXPECT_TRUE(outcome.message.starts_with(
      "call_srcu/nmisafe/idle/direct: nothing goes on when the NMI comes before instruction "))
      << outcome.message;
  EXPECT_NE(outcome.message.find("srcu/"), std::string::npos) << outcome.message;
  EXPECT_GT(beats, 10u);
}

TEST(NmiStepOfSeveral, OneThatHangsHoldsNoOtherUp) {
  if (const std::string why = harness::Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  std::vector<std::string> ended;
  const NmiCase hangs{NmiState::kIdle, nmi_readers()[0], NmiPath::kPost, "direct"},
      reads{NmiState::kIdle, nmi_readers()[0], NmiPath::kRead, "defer_irqoff"};
  torture::nmi_step(
      {hangs, reads}, 2, [] { return true; },
      [&ended](const NmiCase& one, const NmiOutcome&) { ended.push_back(one.name()); });
  EXPECT_EQ(ended, (std::vector{reads.name(), hangs.name()}));
}

TEST(NmiStepOfSeveral, OnceToldToStopTheRestIsDropped) {
  if (const std::string why = harness::Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  unsigned ended = 0;
  torture::nmi_step(
      nmi_cases({"defer_irqoff"}), 2, [&ended] { return ended == 0; },
      [&ended](const NmiCase&, const NmiOutcome&) { ++ended; });
  EXPECT_LE(ended, 2u);
}

/// What the NMI, and the path `kRead`, do in place of a section.
class NmiStepOfAFault : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = harness::Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  }
  static NmiOutcome outcome(NmiPath path, void (*fault)(srcu_struct*)) {
    return nmi_step({NmiState::kIdle, {"faulty", SRCU_KIND_NORMAL, fault}, path, "defer_irqoff"});
  }
};

TEST_F(NmiStepOfAFault, ThatLeavesASectionOpenIsACounterMismatch) {
  const NmiOutcome found = outcome(NmiPath::kPost, [](srcu_struct* ssp) {
    if (srcu::in_nmi()) static_cast<void>(srcu_read_lock_nmisafe(ssp));
  });
  EXPECT_EQ(found.check, "counter_mismatch") << found.message;
}

// The post below is staged when the NMI comes. What is left behind has cleanup refused, which would end in
// abort().
TEST_F(NmiStepOfAFault, ThatLosesAPostIsALostCallbackAlsoWhereCleanupIsRefused) {
  const NmiOutcome found = outcome(NmiPath::kDrain, [](srcu_struct* ssp) {
    if (!srcu::in_nmi()) return;
    srcu::Usage& usage = srcu::usage_of(ssp);
    rcu_head* twice = nullptr;
    if (usage.data.staged.posts.take(twice))
      usage.data.callbacks.ran(~uint64_t{0});  // one more is counted than is there
  });
  EXPECT_EQ(found.check, "lost_callback") << found.message;
}

// A grace period that nobody drives: the path has returned, and it is no deadlock of its.
TEST_F(NmiStepOfAFault, ThatTakesTheDriversRoleForGoodIsAStall) {
  const NmiOutcome found = outcome(NmiPath::kPost, [](srcu_struct* ssp) {
    if (srcu::in_nmi())
      srcu::usage_of(ssp).driver.store(srcu::kDriven, std::memory_order_relaxed);  // relaxed: for ever
  });
  EXPECT_EQ(found.check, "stalled_gp") << found.message;
}

}  // namespace
}  // namespace torture
