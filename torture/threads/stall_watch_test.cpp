#include "torture/threads/stall_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/clock.hpp"

namespace torture {
namespace {

constexpr uint64_t kMs = 1'000'000, kLimit = 1600 * kMs, kTick = 10 * kMs;

std::atomic<bool> reader_sits{false}, reader_is_there{false}, updater_sits{false}, updater_is_there{false};

void sit(const std::atomic<bool>& while_set, std::atomic<bool>& there) {
  while (while_set) {
    there = true;
    harness::sleep_ns(kMs / 10);
  }
}

/// A scheme that does nothing, except hold a thread while the test wants.
Ops nothing() {
  Ops ops{};
  ops.version = SRCUTORTURE_OPS_VERSION;
  ops.size = sizeof(Ops);
  ops.name = "nothing";
  ops.read_lock = [](void*, void*) -> uint64_t { return 0; };
  ops.read_unlock = [](void*, void*, uint64_t) {};
  ops.synchronize = [](void*, void*) { sit(updater_sits, updater_is_there); };
  ops.protect = [](void*, void*, void** slot) { return sit(reader_sits, reader_is_there), *slot; };
  return ops;
}

Params one_of_each() {
  Params params;
  params.nreaders = 1;
  params.nfakewriters = 0;
  params.read_exit_burst = 0;
  return params;
}

/// A running torture of one reader and one updater; the test holds them and turns the clock.
class StallWatchTest : public testing::Test {
 protected:
  StallWatchTest() {
    reader_sits = updater_sits = reader_is_there = updater_is_there = false;
    world_.phase = &phase_;
    cast_.start({});
  }
  ~StallWatchTest() override {
    reader_sits = updater_sits = false;
    world_.stop = true;
    cast_.join();
  }
  static void hold(std::atomic<bool>& sits, const std::atomic<bool>& there) {
    sits = true;
    while (!there) harness::sleep_ns(kMs / 10);
  }
  static void hold_reader() { hold(reader_sits, reader_is_there); }
  static void hold_updater() { hold(updater_sits, updater_is_there); }

  /// Whoever is not held takes a step: the clock that the test turns is faster than they are.
  void let_others_move() const {
    const auto moves = [](const auto& count) {
      for (const uint64_t before = count(); count() == before;) harness::sleep_ns(kMs / 100);
    };
    if (!updater_sits) moves([this] { return cast_.updaters()[0]->grace().ended(); });
    if (!reader_sits) moves([this] { return cast_.readers()[0]->visitor().sections(); });
  }
  /// So many ticks, until something is said, or only until something exceeds the limit.
  std::optional<Standstill> pass(uint64_t ns, bool only_over = false) {
    for (uint64_t passed = 0; passed < ns; passed += kTick) {
      let_others_move();
      if (auto found = watch_.tick(kTick); found && (found->over || !only_over)) return found;
    }
    return std::nullopt;
  }

  const Ops ops_ = nothing();
  const Phase phase_{.name = "test", .readers = 1, .updaters = 1};
  World world_{ops_, nullptr, 1};
  Params params_ = one_of_each();
  Cast cast_{world_, params_, Roles::of(ops_, params_, 2), nullptr};
  StallWatch watch_{world_, cast_, kLimit};
};

// The fakewriter waits for what it never gets; the updater's grace periods end when the test says so.
std::atomic<uint64_t> turns_given{0}, turns_taken{0};
std::atomic<bool> turns_over{false};

void wait_for_a_turn(void*, void*) {
  char name[16];
  pthread_getname_np(pthread_self(), name, sizeof name);
  const bool never = std::string_view(name).starts_with("fakewriter");
  while (!turns_over && (never || turns_taken >= turns_given)) harness::sleep_ns(kMs / 100);
  if (!never) ++turns_taken;
}

/// Callbacks that wait for whoever is to run them.
struct Posted {
  std::mutex mutex;
  std::vector<std::pair<srcutorture_head*, void (*)(srcutorture_head*)>> heads;

  void run() {
    const std::lock_guard locked(mutex);
    for (const auto& [head, func] : heads) func(head);
    heads.clear();
  }
} posted;

void post(void*, void*, srcutorture_head* head, void (*func)(srcutorture_head*)) {
  const std::lock_guard locked(posted.mutex);
  posted.heads.emplace_back(head, func);
}

class TurnsTest : public testing::Test {
 protected:
  explicit TurnsTest(bool flood = false) {
    turns_given = turns_taken = 0;
    turns_over = false;
    ops_.synchronize = wait_for_a_turn;
    if (flood) {
      ops_.call = post;
      params_.gp_sync = 1;
      params_.fwd_progress_holdoff = 1;
      params_.cbflood_max = 8;
    } else {
      params_.nfakewriters = 1;
    }
    cast_.emplace(world_, params_, Roles::of(ops_, params_, 2), nullptr);
    watch_.emplace(world_, *cast_, kLimit);
    world_.phase = &phase_;
    cast_->start({});
    for (const auto& waiter : cast_->waiters())
      while (waiter.grace->since_ns() == 0) harness::sleep_ns(kMs / 10);
  }
  ~TurnsTest() override {
    turns_over = true;
    world_.stop = true;
    cast_->join();
    posted.run();
  }
  void give(uint64_t turns) {
    const uint64_t before = cast_->updaters()[0]->grace().ended();
    turns_given += turns;
    while (cast_->updaters()[0]->grace().ended() != before + turns) harness::sleep_ns(kMs / 100);
  }
  /// So many ticks; before every fifth, `turns` grace periods of the updater end. The words of who exceeds the limit.
  std::string pass(uint64_t ns, uint64_t turns) {
    for (uint64_t passed = 0, tick = 0; passed < ns; passed += kTick, ++tick) {
      const uint64_t sections = cast_->readers()[0]->visitor().sections();
      while (cast_->readers()[0]->visitor().sections() == sections) harness::sleep_ns(kMs / 100);
      if (tick % 5 == 0) give(turns);
      if (const auto found = watch_->tick(kTick); found && found->over) return found->words;
    }
    return {};
  }

  Ops ops_ = nothing();
  const Phase phase_{.name = "test", .readers = 1, .updaters = 2};
  World world_{ops_, nullptr, 1};
  Params params_ = one_of_each();
  std::optional<Cast> cast_;
  std::optional<StallWatch> watch_;
};

TEST_F(TurnsTest, WhoWaitsWhileOthersGetTheirsWaitsItsTurn) { EXPECT_EQ(pass(4 * kLimit, 1), ""); }

TEST_F(TurnsTest, AThousandAreNoTurn) { EXPECT_THAT(pass(4 * kLimit, 100), testing::HasSubstr("fakewriter 0 waits")); }

class FloodTurnsTest : public TurnsTest {
 protected:
  FloodTurnsTest() : TurnsTest(true) {
    while (cast_->flood()->waiting_for() == 0) harness::sleep_ns(kMs / 10);
  }
};

TEST_F(FloodTurnsTest, CallbacksWaitWhileOthersGetTheirGracePeriods) { EXPECT_EQ(pass(4 * kLimit, 1), ""); }

TEST_F(FloodTurnsTest, NotForAThousand) { EXPECT_THAT(pass(4 * kLimit, 100), testing::HasSubstr("a flood of callbacks does not drain")); }

TEST_F(TurnsTest, WhenNobodyGetsAnyItIsAStall) {
  EXPECT_EQ(pass(kLimit, 1), "");
  EXPECT_THAT(pass(kLimit + kLimit / 8, 0), testing::HasSubstr("waits for a grace period that does not end"));
}

TEST_F(StallWatchTest, SuspectsOnceAtHalfTheLimitAndIsSureBeyondIt) {
  hold_updater();
  EXPECT_FALSE(pass(kLimit / 2));
  const auto suspicion = pass(2 * kTick);
  ASSERT_TRUE(suspicion);
  EXPECT_FALSE(suspicion->over);
  EXPECT_EQ(suspicion->check, Check::kStalledGp);
  EXPECT_EQ(suspicion->words, "updater 0 waits for a grace period that does not end (limit 1.6 s)");
  EXPECT_FALSE(suspicion->moved());
  EXPECT_FALSE(pass(kLimit / 2 - 2 * kTick)) << "said once";
  const auto sure = pass(kLimit / 8);
  ASSERT_TRUE(sure);
  EXPECT_TRUE(sure->over);
  EXPECT_EQ(sure->check, Check::kStalledGp);
  updater_sits = false;
  while (!sure->moved()) harness::sleep_ns(kMs);
}

TEST_F(StallWatchTest, WhatMovesStartsAnew) {
  for (int i = 0; i < 4; ++i) {
    hold_updater();
    EXPECT_FALSE(pass(kLimit / 2));
    updater_sits = false;
    let_others_move();
    updater_is_there = false;
  }
}

TEST_F(StallWatchTest, WhereReadersRelayTheLimitIsHalf) {
  constexpr Phase kRelay{.name = "relay", .relay = true, .readers = 1, .updaters = 1};
  world_.phase = &kRelay;
  hold_updater();
  EXPECT_FALSE(pass(kLimit / 2, true));
  const auto found = pass(kLimit / 8, true);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->words, "updater 0 waits for a grace period that does not end (limit 0.8 s)");
  updater_sits = false;
  world_.phase = &phase_;
}

TEST_F(StallWatchTest, ReaderThatStandsStillIsSeen) {
  hold_reader();
  const auto found = pass(2 * kLimit, true);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->check, Check::kNoForwardProgress);
  EXPECT_EQ(found->words, "reader 0 stands still in the scheme's code (limit 1.6 s)");
}

// The reader stopped first, and the grace period that waits for it a moment later.
TEST_F(StallWatchTest, GracePeriodIsNamedBeforeTheReaderThatHoldsItUp) {
  hold_reader();
  EXPECT_FALSE(pass(4 * kTick));
  hold_updater();
  const auto found = pass(2 * kLimit, true);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->check, Check::kStalledGp);
}

}  // namespace
}  // namespace torture
