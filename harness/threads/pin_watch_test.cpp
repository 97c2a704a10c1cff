#include "harness/threads/pin_watch.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/threads/sitter.hpp"
#include "harness/topology/bind.hpp"

namespace harness {
namespace {

void move(pid_t tid, unsigned cpu) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(cpu, &mask);
  ASSERT_EQ(sched_setaffinity(tid, sizeof mask, &mask), 0);
}

std::string refusal(PinWatch& watch) {
  try {
    watch.look();
  } catch (const Broken& broken) {
    return broken.what();
  }
  return {};
}

/// Tells the threads of a test that it is over.
struct Over {
  std::atomic<bool>& done;
  ~Over() {
    done = true;
    done.notify_all();
  }
};

class PinWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (cpus.size() < 2) GTEST_SKIP() << "needs two CPUs";
  }

  const std::vector<unsigned> cpus = affinity();
  std::atomic<bool> done{false};
  Shuffle shuffle{cpus, 1e-5};
  PinWatch watch{shuffle};
};

TEST_F(PinWatchTest, WhoStaysInItsSeatIsLeftAlone) {
  const Sitter sitter(cpus[1]);
  watch.add(sitter.thread);
  for (int i = 0; i < 20; ++i, sleep_ns(1'000'000)) EXPECT_EQ(refusal(watch), "");
  EXPECT_EQ(watch.migrations(), 0u);
}

TEST_F(PinWatchTest, AnotherMaskIsBrokenAndNamesThreadAndCpu) {
  const Sitter sitter(cpus[1]);
  watch.add(sitter.thread);
  move(sitter.thread.tid(), cpus[0]);
  const std::string words = refusal(watch);
  EXPECT_NE(words.find("thread sitter/0 was pinned to CPU " + std::to_string(cpus[1])), words.npos) << words;
  EXPECT_NE(words.find("may now run on " + std::to_string(cpus[0])), words.npos) << words;
  EXPECT_NE(words.find("--place none"), words.npos) << words;
}

TEST_F(PinWatchTest, AnotherCpuIsBrokenThoughTheMaskIsRightAgain) {
  std::atomic<bool> asleep{false};
  const NamedThread thread("sitter/0", cpus[1], [&] {
    move(0, cpus[0]);
    asleep = true;
    done.wait(false);
  });
  const Over over{done};
  while (!asleep || proc_stat(getpid(), thread.tid())->state != 'S') sleep_ns(1'000'000);
  watch.add(thread);
  move(thread.tid(), cpus[1]);
  const std::string words = refusal(watch);
  EXPECT_NE(words.find("it runs on CPU " + std::to_string(cpus[0])), words.npos) << words;
}

TEST_F(PinWatchTest, MovesOfAThreadThatIsNotPinnedAreCounted) {
  std::atomic<int> wanted{0}, made{0};
  const NamedThread thread("mover", std::nullopt, [&] {
    move(0, cpus[0]);
    for (made = 1; !done; sleep_ns(100'000)) {
      if (made > wanted) continue;
      move(0, cpus[static_cast<size_t>(made) % 2]);
      ++made;
    }
  });
  const Over over{done};
  while (made == 0) sleep_ns(1'000'000);
  watch.add(thread);
  for (wanted = 1; wanted <= 9; ++wanted) {
    while (made <= wanted) sleep_ns(1'000'000);
    EXPECT_EQ(refusal(watch), "");
  }
  EXPECT_EQ(watch.migrations(), 9u);
}

TEST_F(PinWatchTest, WhatTheShuffleDoesIsNotHeldAgainstAnybody) {
  Sitter first(cpus[0]), second(cpus[1]);
  for (const NamedThread* thread : {&first.thread, &second.thread}) {
    watch.add(*thread);
    shuffle.enroll(thread->tid(), thread->pu());
  }
  shuffle.start();
  for (; shuffle.firings() < 3'000; sleep_ns(10'000)) ASSERT_EQ(refusal(watch), "");
  shuffle.stop();
  EXPECT_EQ(refusal(watch), "");
}

TEST_F(PinWatchTest, ThreadsMayEndAfterItStops) {
  {
    const Sitter sitter(cpus[0]);
    watch.add(sitter.thread);
    watch.stop();
  }
  EXPECT_EQ(refusal(watch), "");
}

}  // namespace
}  // namespace harness
