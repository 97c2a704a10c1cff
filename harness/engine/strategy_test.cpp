#include "harness/engine/strategy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "harness/engine/recording.hpp"

namespace engine {
namespace {

constexpr Agent kTwo[] = {0, 1};

std::vector<Agent> schedule(Scheduler& scheduler, const Settings& settings, int steps) {
  std::array<Step, kAgents> next{};
  scheduler.begin(settings);
  std::vector<Agent> all;
  for (int i = 0; i < steps; ++i) all.push_back(scheduler.pick(kTwo, next.data()));
  return all;
}

size_t switches(const std::vector<Agent>& schedule) {
  size_t count = 0;
  for (size_t i = 1; i < schedule.size(); ++i) count += schedule[i] != schedule[i - 1];
  return count;
}

TEST(Strategy, EqualSeedsGiveEqualSchedulesAndOthersOthers) {
  for (const auto strategy : {Strategy::kRandom, Strategy::kPct, Strategy::kPos}) {
    const auto scheduler = make_scheduler(strategy);
    Settings settings;
    settings.steps_expected = 50;
    settings.seed = 5;
    const auto first = schedule(*scheduler, settings, 50);
    EXPECT_EQ(first, schedule(*scheduler, settings, 50));
    bool other = false;
    for (settings.seed = 6; settings.seed < 16; ++settings.seed) other |= first != schedule(*scheduler, settings, 50);
    EXPECT_TRUE(other);
  }
}

TEST(Strategy, PctSwitchesAtMostDepthMinusOneTimes) {
  const auto scheduler = make_scheduler(Strategy::kPct);
  Settings settings;
  settings.depth = 3;
  settings.steps_expected = 40;
  for (settings.seed = 0; settings.seed < 200; ++settings.seed)
    EXPECT_LE(switches(schedule(*scheduler, settings, 40)), 2u);
}

/// Where both of the two that were lowered wait for others, the first as well as the second may be the one that goes on.
TEST(Strategy, PctLetsWhoWasLoweredLaterComeBeforeWhoWasLoweredEarlier) {
  constexpr Agent kThree[] = {0, 1, 2};
  const auto scheduler = make_scheduler(Strategy::kPct);
  std::array<Step, kAgents> next{};
  Settings settings;
  settings.depth = 3;
  settings.steps_expected = 40;
  int earlier = 0, later = 0;
  for (settings.seed = 0; settings.seed < 400; ++settings.seed) {
    scheduler->begin(settings);
    std::vector<Agent> on;
    for (int i = 0; i < 41; ++i) {
      const Agent now = scheduler->pick(kThree, next.data());
      if (on.empty() || on.back() != now) on.push_back(now);
    }
    if (on.size() != 3 || on[2] == on[0]) continue;
    const Agent lowered[] = {std::min(on[0], on[1]), std::max(on[0], on[1])};
    ++(scheduler->pick(lowered, next.data()) == on[0] ? earlier : later);
  }
  EXPECT_GT(earlier, 30);
  EXPECT_GT(later, 30);
}

TEST(Strategy, WhoYieldedIsNotNext) {
  std::array<Step, kAgents> next{};
  for (const auto strategy : {Strategy::kRandom, Strategy::kPct, Strategy::kPos}) {
    const auto scheduler = make_scheduler(strategy);
    Settings settings;
    settings.depth = 1;  // without a change of priority that may come just then
    for (settings.seed = 0; settings.seed < 50; ++settings.seed) {
      scheduler->begin(settings);
      scheduler->pick(kTwo, next.data());
      scheduler->yielded(1);
      EXPECT_EQ(scheduler->pick(kTwo, next.data()), 0);
    }
  }
}

TEST(Strategy, WhoYieldedIsNextIfNobodyElseIsThere) {
  std::array<Step, kAgents> next{};
  constexpr Agent kOne[] = {1};
  for (const auto strategy : {Strategy::kRandom, Strategy::kPct, Strategy::kPos}) {
    const auto scheduler = make_scheduler(strategy);
    scheduler->begin({});
    scheduler->yielded(1);
    EXPECT_EQ(scheduler->pick(kOne, next.data()), 1);
  }
}

TEST(Strategy, OfThoseThatYieldedTheFirstIsNext) {
  std::array<Step, kAgents> next{};
  for (const auto strategy : {Strategy::kPct, Strategy::kPos}) {
    const auto scheduler = make_scheduler(strategy);
    Settings settings;
    settings.depth = 1;
    for (settings.seed = 0; settings.seed < 50; ++settings.seed) {
      scheduler->begin(settings);
      scheduler->yielded(1);
      scheduler->yielded(0);
      EXPECT_EQ(scheduler->pick(kTwo, next.data()), 1);
    }
  }
}

TEST(Strategy, StepsConflictIfTheyOverlapAndOneWrites) {
  const Step write{Kind::kWrite, Order::kRelaxed, 4, 100}, read{Kind::kRead, Order::kRelaxed, 8, 96}, after{Kind::kWrite, Order::kRelaxed, 4, 104};
  EXPECT_TRUE(write.conflicts(read));
  EXPECT_FALSE(read.conflicts(read));
  EXPECT_FALSE(write.conflicts(after));
}

TEST(Outcome, IsTheSameFindingOnlyAtTheSamePlaces) {
  Outcome race{Outcome::Kind::kFault, "a data race", 10, 20}, livelock{Outcome::Kind::kLivelock, "no end", 10};
  EXPECT_TRUE(race.same_finding({Outcome::Kind::kFault, "a data race", 20, 10}));
  EXPECT_FALSE(race.same_finding({Outcome::Kind::kFault, "a data race", 10, 30}));
  EXPECT_FALSE(race.same_finding({Outcome::Kind::kFault, "an access to freed memory", 10, 20}));
  EXPECT_TRUE(livelock.same_finding({Outcome::Kind::kLivelock, "no end", 11}));
}

TEST(Follower, PassesOverWhoCannotRunAndGoesOn) {
  std::array<Step, kAgents> next{};
  const Decisions decisions{{{1, 2}, {7, 1}, {0, 1}}, {}, {}};
  const auto follower = make_follower(decisions);
  follower->begin({});
  std::vector<Agent> all;
  for (int i = 0; i < 5; ++i) all.push_back(follower->pick(kTwo, next.data()));
  EXPECT_EQ(all, (std::vector<Agent>{1, 1, 0, 0, 0}));
}

}  // namespace
}  // namespace engine
