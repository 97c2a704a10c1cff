#include "harness/engine/chaos/runtime.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <cerrno>
#include <thread>

#include "harness/base/clock.hpp"
#include "harness/threads/stepper.hpp"

int add_for_test();

namespace engine::chaos {
namespace {

constexpr unsigned kYield = 1, kSpin = 2, kSleep = 4;
const void* at(unsigned site) { return reinterpret_cast<const void*>(uintptr_t{0x555555550000} + site); }

/// Settings by hand, without the thread that changes them.
class ChaosRuntime : public testing::Test {
 protected:
  void SetUp() override { start(1); }
  void TearDown() override { set({}); }
  static void start(uint64_t seed) {
    reap();
    begin(seed);
  }
  static void set(const Epoch& epoch) { current.store(epoch.word(), std::memory_order_relaxed); }
  static Counts sum() {
    Counts all;
    for (const Counts& one : counts_by_thread()) {
      all.yields += one.yields;
      all.spins += one.spins;
      all.sleeps += one.sleeps;
    }
    return all;
  }
  /// At which of 200 accesses something happened.
  static std::vector<bool> pattern() {
    std::vector<bool> fired;
    for (int i = 0; i < 200; ++i) {
      const uint64_t before = sum().all();
      point(at(9));
      fired.push_back(sum().all() != before);
    }
    return fired;
  }
};

TEST_F(ChaosRuntime, NothingHappensInAQuietEpoch) {
  for (int i = 0; i < 10'000; ++i) point(at(5));
  EXPECT_EQ(counts_by_thread().size(), 0u);
  EXPECT_EQ(seen().size(), 0u);
}

TEST_F(ChaosRuntime, FiresAtItsRateByItsActions) {
  set({.kind = Kind::kUniform, .actions = kYield | kSpin, .one_in = 10});
  for (int i = 0; i < 10'000; ++i) point(at(5));
  EXPECT_NEAR(sum().yields, 500, 100);
  EXPECT_NEAR(sum().spins, 500, 100);
  EXPECT_EQ(sum().sleeps, 0u);
  set({.kind = Kind::kUniform, .actions = kSleep, .one_in = 1});
  for (int i = 0; i < 20; ++i) point(at(5));
  EXPECT_EQ(sum().sleeps, 20u);
}

TEST_F(ChaosRuntime, FocusLeavesOtherSitesAlone) {
  set({.kind = Kind::kFocus, .actions = kYield, .one_in = 1, .sites = 2, .focus = {5, 4000}});
  for (int i = 0; i < 100; ++i) point(at(6));
  EXPECT_EQ(sum().all(), 0u);
  point(at(5));
  point(at(4000));
  EXPECT_EQ(sum().yields, 2u);
  EXPECT_EQ(seen(), (std::vector<Site>{5, 6, 4000}));
}

TEST_F(ChaosRuntime, SameSeedSameStream) {
  set({.kind = Kind::kUniform, .actions = kYield, .one_in = 3});
  const std::vector<bool> first = pattern();
  start(2);
  set({.kind = Kind::kUniform, .actions = kYield, .one_in = 3});
  EXPECT_NE(pattern(), first);
  start(1);
  set({.kind = Kind::kUniform, .actions = kYield, .one_in = 3});
  EXPECT_EQ(pattern(), first);
}

TEST_F(ChaosRuntime, EachThreadHasItsOwnStreamAndCounts) {
  set({.kind = Kind::kUniform, .actions = kYield, .one_in = 3});
  const std::vector<bool> here = pattern();
  std::vector<bool> there;
  std::thread([&there] { there = pattern(); }).join();
  EXPECT_NE(here, there);
  ASSERT_EQ(counts_by_thread().size(), 2u);
  for (const Counts& one : counts_by_thread()) EXPECT_NEAR(one.yields, 67, 30);
}

TEST_F(ChaosRuntime, EndedThreadsMakeRoomAndTheirCountsStay) {
  set({.kind = Kind::kUniform, .actions = kYield, .one_in = 1});
  point(at(5));
  for (int i = 0; i < 5; ++i) {
    std::thread([] { point(at(5)); }).join();
    ASSERT_LE(counts_by_thread().size(), 2u) << "no room was made";
    harness::sleep_ns(20'000'000);  // for the kernel may keep a joined thread for a moment
    reap();
  }
  EXPECT_EQ(sum().yields, 6u);
}

TEST_F(ChaosRuntime, WhoFindsNoRoomGetsSomeWhenOthersHaveEnded) {
  set({.kind = Kind::kUniform, .actions = kYield, .one_in = 1});
  for (int i = 0; i < 1100; ++i) std::thread([] { point(at(5)); }).join();  // each keeps its place until reap()
  std::thread([] {
    const uint64_t before = sum().yields;
    point(at(5));
    EXPECT_EQ(sum().yields, before) << "there was room";
    harness::sleep_ns(20'000'000);  // for the kernel may keep a joined thread for a moment
    reap();
    point(at(5));
    EXPECT_EQ(sum().yields, before + 1);
  }).join();
}

// An atomic access is no place where a thread may be cancelled.
TEST_F(ChaosRuntime, NobodyIsCancelledAtAnAccess) {
  set({.kind = Kind::kUniform, .actions = kSleep, .one_in = 1});
  bool came_back = false;
  std::thread([&came_back] {
    pthread_cancel(pthread_self());
    point(at(5));
    came_back = true;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);  // a std::thread must not be cancelled
  }).join();
  EXPECT_TRUE(came_back);
}

TEST_F(ChaosRuntime, LeavesErrnoAlone) {
  set({.kind = Kind::kUniform, .actions = kSleep, .one_in = 1});
  errno = 4711;
  point(at(5));
  EXPECT_EQ(errno, 4711);
}

// A first access, interrupted before each of its instructions by a handler that has an access, too.
TEST_F(ChaosRuntime, BearsAHandlerAnywhere) {
  if (const std::string why = harness::Stepper::why_not(); !why.empty()) GTEST_SKIP() << why;
  const auto access = [](void*) { point(at(5)); };
  uint64_t both = 0, alone = 0;
  for (uint64_t step = 0;; step += step < 300 ? 1 : 29) {  // all would take long, and what is far behind is a slot's zeroing
    ASSERT_LT(step, 20'000u);
    start(3);
    set({.kind = Kind::kUniform, .actions = kYield, .one_in = 1});
    harness::Stepper::Result result{};
    std::thread([&] { result = harness::Stepper::run(access, nullptr, step, access, nullptr); }).join();
    ASSERT_EQ(counts_by_thread().size(), 1u) << "one thread, one place, at step " << step;
    const uint64_t fired = sum().yields;
    ASSERT_TRUE(fired == 1 || fired == 2) << "step " << step;
    set({});
    if (result.at == 0) break;
    ++(fired == 2 ? both : alone);
  }
  EXPECT_GT(both, 5u) << "ahead of the decision, and once it was made, the handler has its own";
  EXPECT_GT(alone, 5u) << "in the middle of a decision it has none";
}

TEST_F(ChaosRuntime, StopsAtCompiledAccesses) {
  set({.kind = Kind::kUniform, .actions = kYield, .one_in = 1});
  add_for_test();
  EXPECT_EQ(sum().yields, 3u) << "a volatile store, a fence, an addition";
  EXPECT_EQ(seen().size(), 3u);
}

TEST(Chaos, ChangesSettingsCountsAndStopsAtItsEnd) {
  Counts counts;
  {
    Chaos chaos(7);
    while (chaos.epochs() < 12) point(at(static_cast<unsigned>(harness::now_ns() % 40)));
    counts = chaos.counts();
    const auto kinds = chaos.epochs_by_kind();
    for (const uint64_t count : kinds) EXPECT_GT(count, 0u);
    EXPECT_EQ(chaos.by_thread().size(), 1u);
  }
  EXPECT_GT(counts.yields, 0u);
  EXPECT_GT(counts.all(), counts.yields);
  EXPECT_EQ(current.load(std::memory_order_relaxed), 0u);
  const uint64_t before = counts_by_thread().at(0).yields;
  for (int i = 0; i < 1000; ++i) point(at(5));
  EXPECT_EQ(counts_by_thread().at(0).yields, before);
}

TEST(Chaos, IsMostlyQuietInACalm) {
  Chaos chaos(7, [] { return true; });
  while (chaos.epochs() < 16) harness::sleep_ns(1'000'000);
  EXPECT_GE(chaos.epochs_by_kind()[0], 12u);
  EXPECT_LT(chaos.epochs_by_kind()[0], chaos.epochs());
}

TEST(Chaos, IsLinkedHere) { EXPECT_TRUE(linked()); }

}  // namespace
}  // namespace engine::chaos
