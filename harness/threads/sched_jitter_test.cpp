#include "harness/threads/sched_jitter.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/supervise/progress_board.hpp"
#include "harness/supervise/shared_pages.hpp"
#include "harness/topology/bind.hpp"

namespace harness {
namespace {

constexpr uint64_t kMs = 1'000'000;

TEST(SchedJitter, TogetherTheThreadsWakeEveryTenMilliseconds) {
  const std::vector<unsigned> pus(2, affinity().front());
  const uint64_t begin = now_ns();
  SchedJitter jitter(pus, 7);
  sleep_ns(500 * kMs);
  // Also a thread that overslept makes up for every step, so the number follows from the time alone.
  while (jitter.snapshot().total() < 50 - pus.size()) sleep_ns(kMs);
  EXPECT_LE(jitter.snapshot().total(), (now_ns() - begin) / (10 * kMs) + pus.size());
}

TEST(SchedJitter, OneThreadSitsOnEachCpu) {
  const auto pus = affinity();
  const SchedJitter jitter(pus, 7);
  ASSERT_EQ(jitter.threads().size(), pus.size());
  for (size_t i = 0; i < pus.size(); ++i) {
    EXPECT_EQ(affinity(jitter.threads()[i].tid()), std::vector{pus[i]});
    EXPECT_EQ(jitter.threads()[i].name(), "jitter/" + std::to_string(pus[i]));
  }
}

TEST(SchedJitter, WithoutSeatsOneThreadRunsAnywhere) {
  const SchedJitter jitter({}, 7);
  ASSERT_EQ(jitter.threads().size(), 1u);
  EXPECT_EQ(affinity(jitter.threads()[0].tid()), affinity());
  while (jitter.snapshot().total() < 3) sleep_ns(kMs);
}

/// What a child measures while it is stopped for 200 ms.
struct Seen {
  std::atomic<bool> measuring, go_on;
  std::atomic<uint64_t> max_ns, long_ones;
};

TEST(SchedJitter, AStretchWithoutTheCpuShowsWithItsLength) {
  auto* seen = new (map_shared(sizeof(Seen), "what was seen")) Seen{};
  Child child([seen] {
    const SchedJitter jitter({affinity().front()}, 7);
    while (jitter.snapshot().total() == 0) sleep_ns(kMs);
    seen->measuring = true;
    while (!seen->go_on) sleep_ns(kMs);
    while (jitter.snapshot().max() < 100 * kMs) sleep_ns(kMs);
    sleep_ns(50 * kMs);
    const Counts counts = jitter.snapshot();
    seen->max_ns = counts.max();
    for (size_t i = 0; i < counts.counts().size(); ++i)
      if (counts.layout().highest_at(i) > 50 * kMs) seen->long_ones += counts.counts()[i];
    return 0;
  });
  while (!seen->measuring) sleep_ns(kMs);
  child.send(SIGSTOP);
  while (!proc_stopped(child.pid())) sleep_ns(kMs);
  sleep_ns(200 * kMs);
  seen->go_on = true;
  child.send(SIGCONT);
  const auto ended = child.wait(60);
  ASSERT_TRUE(ended) << "it did not notice";
  ASSERT_EQ(ended->exit_code, 0);
  EXPECT_GE(seen->max_ns, 180 * kMs);
  EXPECT_GE(seen->long_ones, 13u) << "only the first of the wake-ups that were missed was counted";
  unmap_shared(seen, sizeof(Seen));
}

// What it costs is what its wake-ups cost, some 10 us each on the machines seen; their number is its own doing.
TEST(SchedJitter, WakesEveryTenMillisecondsHoweverManyThreads) {
  for (const size_t threads : {size_t{1}, size_t{2}, size_t{7}}) {
    const std::vector<unsigned> pus(threads, affinity().front());
    const SchedJitter jitter(pus, 7);
    const uint64_t begin = now_ns(), before = jitter.snapshot().total();
    sleep_ns(500 * kMs);
    const uint64_t woken = jitter.snapshot().total() - before;
    const uint64_t steps = (now_ns() - begin) / (10 * kMs);
    EXPECT_GT(woken, 0u);
    EXPECT_LE(woken, steps + 2 * threads) << threads << " threads: one in each step of each, and the steps that were under way";
  }
}

TEST(SchedJitter, EndsAtOnceHoweverLongItsSteps) {
  std::vector<unsigned> many(400, affinity().front());
  const uint64_t begin = now_ns();
  { const SchedJitter jitter(many, 7); }
  EXPECT_LT(now_ns() - begin, 3'500 * kMs) << "steps last 4 s";
}

TEST(SchedJitter, RefusedSeatIsBroken) {
  EXPECT_THROW(SchedJitter({affinity().front(), 100'000}, 7), Broken);
}

}  // namespace
}  // namespace harness
