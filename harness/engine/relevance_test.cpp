#include "harness/engine/relevance.hpp"

#include <gtest/gtest.h>

namespace engine {
namespace {

constexpr uintptr_t kFlag = 0x100, kNoise = 0x900;

struct Story {
  std::vector<Event> events;

  void add(Agent agent, Kind kind, uintptr_t address, bool old = false) {
    events.push_back({agent, {kind, Order::kRelaxed, address ? 8u : 0u, address, events.size() + 1}, 0, 0, true, old});
  }
  void noise(Agent agent, size_t steps) {
    while (steps-- > 0) add(agent, Kind::kStore, kNoise + 8 * agent);
  }
  /// Their numbers.
  std::vector<size_t> told(size_t most, const Outcome& outcome = {}) const {
    std::vector<const Event*> all;
    for (const Event& event : events) all.push_back(&event);
    const std::vector<bool> kept = most_relevant(all, outcome, most);
    std::vector<size_t> numbers;
    for (size_t i = 0; i < kept.size(); ++i)
      if (kept[i]) numbers.push_back(i);
    return numbers;
  }
};

TEST(Relevance, AllIsToldWhereThereIsRoom) {
  Story story;
  story.noise(1, 5);
  EXPECT_EQ(story.told(5).size(), 5u);
  EXPECT_LT(story.told(4).size(), 4u) << "there is a gap";
}

TEST(Relevance, AnOldValueAndTheStoreThatWasMissedComeFirst) {
  Story story;
  story.noise(1, 20);
  story.add(1, Kind::kStore, kFlag);
  story.noise(1, 20);
  story.add(2, Kind::kLoad, kFlag, true);
  story.noise(2, 20);
  EXPECT_EQ(story.told(6), (std::vector<size_t>{20, 41, 61}));
}

TEST(Relevance, WhatTheOutcomeClashesWithIsTold) {
  Story story;
  story.add(1, Kind::kRead, kFlag);
  story.noise(1, 50);
  story.add(2, Kind::kFree, kFlag);
  Outcome outcome;
  outcome.before = story.events[0].step.pc;
  EXPECT_EQ(story.told(3, outcome), (std::vector<size_t>{0, 51}));
}

TEST(Relevance, WhatOneThreadLearnsFromAnotherComesBeforeItsOwnAffairs) {
  Story story;
  story.add(1, Kind::kStore, kFlag);
  story.noise(1, 30);
  story.add(2, Kind::kLoad, kFlag);
  story.noise(2, 30);
  EXPECT_EQ(story.told(5), (std::vector<size_t>{0, 31, 61}));
}

TEST(Relevance, LinesAndGapsAreNoMoreThanAsked) {
  Story story;
  for (int i = 0; i < 40; ++i) {
    story.add(1, Kind::kStore, kFlag);
    story.noise(1, 3);
    story.add(2, Kind::kLoad, kFlag);
  }
  for (size_t most = 1; most < 60; ++most) {
    const auto told = story.told(most);
    size_t lines = told.size(), next = 0;
    for (const size_t number : told) {
      lines += number != next;
      next = number + 1;
    }
    lines += next != story.events.size();
    EXPECT_LE(lines, most);
    EXPECT_GE(lines + 2, most) << "room is used";
  }
}

}  // namespace
}  // namespace engine
