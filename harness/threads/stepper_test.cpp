#include "harness/threads/stepper.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <utility>

namespace harness {
namespace {

struct Pair {
  volatile int first = 0, second = 0;
};

void store_both(void* pair) {
  auto& p = *static_cast<Pair*>(pair);
  p.first = 1;
  p.second = 1;
}

struct Seen {
  Pair pair;
  int times = 0, first = -1, second = -1;
};

void look(void* seen) {
  auto& s = *static_cast<Seen*>(seen);
  ++s.times;
  s.first = s.pair.first;
  s.second = s.pair.second;
}

class StepperTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_F(StepperTest, EveryPlaceIsReachedOnce) {
  std::set<std::pair<int, int>> states;
  std::set<uintptr_t> places;
  uint64_t at = 0;
  for (;; ++at) {
    Seen seen;
    const auto result = Stepper::run(store_both, &seen.pair, at, look, &seen);
    EXPECT_EQ(seen.pair.first + seen.pair.second, 2) << "the rest of the path runs";
    if (result.at == 0) {
      EXPECT_EQ(seen.times, 0);
      EXPECT_EQ(result.instructions, at);
      break;
    }
    EXPECT_EQ(seen.times, 1);
    EXPECT_EQ(result.instructions, at + 1);
    states.emplace(seen.first, seen.second);
    EXPECT_TRUE(places.insert(result.at).second) << "no instruction of this path runs twice";
    ASSERT_LT(at, 1000u);
  }
  EXPECT_GE(at, 3u);
  EXPECT_EQ(states, (std::set<std::pair<int, int>>{{0, 0}, {1, 0}, {1, 1}}));
}

TEST_F(StepperTest, GoesThroughSystemCalls) {
  static int value = 0;
  const auto path = [](void*) { value = getppid() > 0 ? 1 : 2; };
  const auto nothing = [](void*) {};
  uint64_t at = 0;
  while (Stepper::run(path, nullptr, at, nothing, nullptr).at != 0) ++at;
  EXPECT_EQ(value, 1);
  EXPECT_GT(at, 5u);
}

TEST_F(StepperTest, AfterwardsNothingIsStepped) {
  Seen seen;
  Stepper::run(store_both, &seen.pair, 1, look, &seen);
  uint64_t flags = 0;
#ifdef __x86_64__
  asm volatile("pushf\n\tpop %0" : "=r"(flags));
#endif
  EXPECT_EQ(flags & 0x100, 0u);
}

}  // namespace
}  // namespace harness
