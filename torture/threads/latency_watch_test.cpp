#include "torture/threads/latency_watch.hpp"

#include <gtest/gtest.h>

namespace torture {
namespace {

constexpr uint64_t kMs = 1'000'000;

TEST(Patience, CountsOnlyWhatTheMachineGranted) {
  Patience patience(10);
  EXPECT_EQ(patience.tick(1000), 0U);
  EXPECT_EQ(patience.tick(1010), 10U);
  EXPECT_EQ(patience.tick(9010), 20U) << "eight thousand passed, but we did not run";
  EXPECT_EQ(patience.withheld_ns(), 8000U - 20U);
}

/// One waiter, whose grace period begins when the test says so, and a watch whose clock the test turns.
class LatencyWatchTest : public testing::Test {
 protected:
  LatencyWatchTest() {
    ops_.synchronize = [](void*, void*) {};
    watch_.tick(now_ns_ = harness::now_ns());
  }
  /// Grace has the real clock, which the test's own may be ahead of.
  void begin() {
    while (harness::now_ns() < now_ns_) harness::sleep_ns(kMs);
    grace_.arm();
    now_ns_ = grace_.since_ns();
  }
  void end() {
    grace_.wait(GraceKind::kSync, nullptr, [] { return false; });
  }
  auto after(uint64_t ns) { return watch_.tick(now_ns_ += ns); }
  /// On time, for so long; true if something was too slow.
  bool pass(uint64_t ns) {
    bool slow = false;
    for (uint64_t passed = 0; passed < ns; passed += watch_.tick_ns()) slow = after(watch_.tick_ns()) || slow;
    return slow;
  }

  Ops ops_{};
  Grace grace_{ops_, nullptr};
  uint64_t now_ns_ = 0;
  LatencyWatch watch_{{{"updater 0", &grace_}}, 20 * kMs};
};

TEST_F(LatencyWatchTest, TickIsAQuarterOfTheLimitAtMost) {
  EXPECT_EQ(watch_.tick_ns(), 5 * kMs);
  EXPECT_EQ(LatencyWatch({}, 60'000 * kMs).tick_ns(), 10 * kMs);
}

TEST_F(LatencyWatchTest, LongerThanTheLimitIsSeenWithinATick) {
  begin();
  EXPECT_FALSE(pass(20 * kMs)) << "exactly the limit";
  const auto slow = after(1);
  ASSERT_TRUE(slow);
  EXPECT_EQ(slow->waiter.name, "updater 0");
  EXPECT_EQ(slow->since_ns, grace_.since_ns());
  EXPECT_EQ(slow->waited_ns, 20 * kMs + 1);
}

TEST_F(LatencyWatchTest, WhoeverDoesNotWaitIsNotSlow) { EXPECT_FALSE(pass(1000 * kMs)); }

TEST_F(LatencyWatchTest, ManyShortOnesAreNotALongOne) {
  for (int i = 0; i < 10; ++i) {
    begin();
    EXPECT_FALSE(pass(15 * kMs));
    end();
  }
}

TEST_F(LatencyWatchTest, TimeThatTheMachineWithheldDoesNotCount) {
  begin();
  EXPECT_FALSE(pass(5 * kMs));
  EXPECT_FALSE(after(1000 * kMs)) << "of which 10 ms count";
  EXPECT_FALSE(pass(5 * kMs));
  const auto slow = after(1 * kMs);
  ASSERT_TRUE(slow);
  EXPECT_EQ(slow->waited_ns, 21 * kMs);
}

TEST_F(LatencyWatchTest, OneThatBeganWhileTheMachineWithheldTimeIsNotChargedWithIt) {
  begin();
  now_ns_ += 900 * kMs;  // and the last tick was before it began
  EXPECT_FALSE(after(0));
  EXPECT_FALSE(pass(5 * kMs));
}

TEST_F(LatencyWatchTest, WithheldFromOneIsNotWithheldFromTheNext) {
  begin();
  EXPECT_FALSE(after(200 * kMs));
  end();
  EXPECT_FALSE(after(5 * kMs));
  begin();
  EXPECT_FALSE(pass(15 * kMs));
  EXPECT_TRUE(pass(30 * kMs));
}

}  // namespace
}  // namespace torture
