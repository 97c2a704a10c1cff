#include "harness/threads/shuffle.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <vector>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/threads/sitter.hpp"
#include "harness/topology/bind.hpp"

namespace harness {
namespace {

void wait_until(const auto& condition) {
  while (!condition()) sleep_ns(1'000'000);
}

class ShuffleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (pus.size() < 2) GTEST_SKIP() << "needs two CPUs";
  }
  const std::vector<unsigned> pus = affinity();
};

TEST_F(ShuffleTest, LeavesEachCpuIdleInTurnThenRestoresTheSeats) {
  Sitter pinned(pus[0]), loose(std::nullopt);
  std::set<unsigned> idled;
  unsigned seated = 0;
  Shuffle shuffle(pus, 0.002, [&](std::optional<unsigned> idle) {
    std::vector<unsigned> expected = pus;
    if (idle) {
      idled.insert(*idle);
      expected.erase(std::find(expected.begin(), expected.end(), *idle));
    } else {
      ++seated;
    }
    EXPECT_EQ(affinity(loose.thread.tid()), expected);
    EXPECT_EQ(affinity(pinned.thread.tid()), idle ? expected : std::vector{pus[0]});
  });
  EXPECT_EQ(shuffle.why_not(), "");
  shuffle.enroll(pinned.thread.tid(), pus[0]);
  shuffle.enroll(loose.thread.tid(), std::nullopt);
  shuffle.start();
  wait_until([&] { return shuffle.firings() > 2 * pus.size(); });
  shuffle.stop();
  EXPECT_EQ(idled, std::set<unsigned>(pus.begin(), pus.end()));
  EXPECT_GE(seated, 1u);
  EXPECT_EQ(affinity(pinned.thread.tid()), std::vector{pus[0]});
  EXPECT_EQ(affinity(loose.thread.tid()), pus);
}

TEST_F(ShuffleTest, WhoComesLateJoinsTheRoundUnderWay) {
  Shuffle shuffle(pus, 0.001, {});
  shuffle.start();
  wait_until([&] { return shuffle.firings() >= 1; });
  Sitter late(pus[1]);
  shuffle.enroll(late.thread.tid(), pus[1]);
  wait_until([&] { return shuffle.firings() > 2 * pus.size(); });
  shuffle.dismiss(late.thread.tid());
  const std::vector<unsigned> left_with = affinity(late.thread.tid());
  const uint64_t rounds = shuffle.firings();
  wait_until([&] { return shuffle.firings() > rounds + pus.size(); });
  EXPECT_EQ(affinity(late.thread.tid()), left_with) << "a dismissed thread was moved";
  shuffle.stop();
}

TEST_F(ShuffleTest, ThreadThatEndedWithoutDismissalIsBroken) {
  Shuffle shuffle(pus, 0.001, {});
  NamedThread gone("gone", std::nullopt, [] {});
  gone.join();
  shuffle.enroll(gone.tid(), std::nullopt);
  shuffle.start();
  sleep_ns(50'000'000);
  EXPECT_THROW(shuffle.stop(), Broken);
  EXPECT_EQ(shuffle.firings(), 0u);
}

TEST(Shuffle, SaysThatOneCpuCannotBeLeftIdle) {
  Shuffle shuffle({affinity().front()}, 0.001, {});
  EXPECT_NE(shuffle.why_not(), "");
  shuffle.start();
  sleep_ns(10'000'000);
  shuffle.stop();
  EXPECT_EQ(shuffle.firings(), 0u);
}

TEST(Shuffle, RefusesWhatMakesNoSense) {
  EXPECT_THROW(Shuffle({}, 1), UsageError);
  EXPECT_THROW(Shuffle({0, 1}, 0), UsageError);
}

}  // namespace
}  // namespace harness
