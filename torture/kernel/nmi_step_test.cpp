#include "torture/kernel/nmi_step.hpp"

#include <gtest/gtest.h>

#include "harness/threads/stepper.hpp"

namespace torture {
namespace {

class NmiStep : public testing::TestWithParam<NmiCase> {};

/// Scenario NMI-STEP runs all.
std::vector<NmiCase> some_cases() {
  std::vector<NmiCase> cases = nmi_cases({"defer_irqoff"});
  std::erase_if(cases, [](const NmiCase& one) { return one.readers.kind != SRCU_KIND_FAST; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(, NmiStep, testing::ValuesIn(some_cases()), [](const auto& info) {
  std::string name = info.param.name();
  for (char& c : name)
    if (c == '/') c = '_';
  return name;
});

TEST_P(NmiStep, EveryInstructionBearsAnNmi) {
  if (const std::string why = harness::Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  const NmiOutcome outcome = nmi_step(GetParam(), [] {});
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

}  // namespace
}  // namespace torture
