#include "harness/threads/stutter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"

namespace harness {
namespace {

/// Runs until told to stop, pausing when asked; counts its steps and its pauses.
struct Walker {
  explicit Walker(Stutter& stutter)
      : thread("walker", std::nullopt, [this, &stutter] {
          while (!done) {
            if (stutter.pausing() && stutter.wait()) ++pauses;
            ++steps;
            sleep_ns(100'000);
          }
        }) {}
  std::atomic<bool> done{false};
  std::atomic<uint64_t> steps{0}, pauses{0};
  NamedThread thread;
};

void wait_until(const auto& condition) {
  while (!condition()) sleep_ns(1'000'000);
}

TEST(Stutter, PausesAndReleasesAgain) {
  Stutter stutter(0.01, 0.01);
  Walker a(stutter), b(stutter);
  stutter.start();
  wait_until([&] { return a.pauses >= 3 && b.pauses >= 3; });
  stutter.stop();
  EXPECT_GE(stutter.firings(), 3u);
  a.done = b.done = true;
  a.thread.join();
  b.thread.join();
}

TEST(Stutter, NobodyMovesInAPauseAndStopReleasesThem) {
  Stutter stutter(0.001, 3600);
  Walker walker(stutter);
  stutter.start();
  wait_until([&] { return stutter.pausing(); });
  uint64_t before = 0;
  // A step under way when the pause began may still end.
  wait_until([&] {
    before = walker.steps;
    sleep_ns(100'000'000);
    return walker.steps == before;
  });
  stutter.stop();
  wait_until([&] { return walker.steps > before; });
  EXPECT_EQ(walker.pauses.load(), 1u);
  EXPECT_FALSE(stutter.pausing());
  walker.done = true;
  walker.thread.join();
}

TEST(Stutter, ReportsBeginAndEndInTurn) {
  std::mutex mutex;
  std::vector<std::pair<bool, uint64_t>> seen;
  Stutter stutter(0.001, 0.001, [&](bool paused, uint64_t at_ns) {
    const std::lock_guard lock(mutex);
    seen.emplace_back(paused, at_ns);
  });
  stutter.start();
  wait_until([&] { return stutter.firings() >= 4; });
  stutter.stop();
  ASSERT_EQ(seen.size(), 2 * stutter.firings());
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].first, i % 2 == 0) << i;
    // stop() may have cut the last pause.
    const uint64_t least = i % 2 == 1 && i + 1 < seen.size() ? 1'000'000 : 0;
    if (i > 0) {
      EXPECT_GE(seen[i].second, seen[i - 1].second + least) << "pause too short";
    }
  }
}

TEST(Stutter, DoesNothingBeforeStartAndAfterStop) {
  Stutter stutter(0.001, 0.001);
  EXPECT_FALSE(stutter.pausing());
  EXPECT_FALSE(stutter.wait());
  stutter.stop();
  EXPECT_EQ(stutter.firings(), 0u);
}

TEST(Stutter, WhatTheReportThrowsComesOutOfStopAndNobodyIsLeftBehind) {
  Stutter stutter(0.001, 3600, [](bool, uint64_t) { throw Broken("disk full"); });
  stutter.start();
  wait_until([&] { return stutter.firings() >= 1 && !stutter.pausing(); });
  EXPECT_THROW(stutter.stop(), Broken);
}

TEST(Stutter, RefusesTimesThatAreNone) {
  EXPECT_THROW(Stutter(0, 1), UsageError);
  EXPECT_THROW(Stutter(1, -1), UsageError);
}

}  // namespace
}  // namespace harness
