#include "harness/supervise/watch.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <thread>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/proc.hpp"

namespace harness {
namespace {

constexpr double kNever = 1e6;

/// Looks until there is a stall, or until the child has spent `cpu_s` or this has lasted `wall_s`.
std::optional<Stall> look_for(Watch& watch, pid_t child, double cpu_s, double wall_s) {
  const double cpu_end = proc_stat(child)->cpu_s + cpu_s;
  const uint64_t end_ns = now_ns() + static_cast<uint64_t>(wall_s * 1e9);
  while (proc_stat(child)->cpu_s < cpu_end && now_ns() < end_ns) {
    if (auto stall = watch.look()) return stall;
    sleep_ns(5'000'000);
  }
  return {};
}

/// How many threads are expected to move.
unsigned standing(const ProgressBoard& board) {
  unsigned count = 0;
  for (const auto& reading : board.read()) count += reading.expected;
  return count;
}

/// A child in which one thread beats and sleeps, and another one does as it is told.
struct Pair {
  Pair(ProgressBoard& board, const std::function<void(ProgressBoard::Slot&)>& other)
      : child([&board, &other] {
          std::thread runner([&board] {
            for (ProgressBoard::Slot& slot = board.claim("runner");;) {
              slot.beat();
              sleep_ns(1'000'000);
            }
          });
          other(board.claim("other"));
          return 0;
        }) {
    while (board.read().size() < 2) sleep_ns(1'000'000);
  }
  Child child;
};

void burn(ProgressBoard::Slot&) {
  for (volatile bool never = false; !never;) {  // volatile: a loop without effects may be left out
  }
}

void sleep_for_ever(ProgressBoard::Slot&) {
  for (;;) pause();
}

TEST(Watch, NamesTheThreadThatBurnsTimeWithoutGettingAnywhere) {
  ProgressBoard board(2);
  Pair pair(board, burn);
  Watch watch(board, pair.child.pid(), {1, kNever});
  const auto stall = look_for(watch, pair.child.pid(), 60, 600);
  ASSERT_TRUE(stall);
  EXPECT_EQ(stall->threads, std::vector<std::string>{"other"});
  EXPECT_FALSE(stall->all);
  EXPECT_GE(stall->cpu_s, 1);
  EXPECT_NE(stall->words().find("other made no step"), std::string::npos) << stall->words();
}

TEST(Watch, AChildThatUsesNoCpuIsNotHungUntilTheWallLimit) {
  ProgressBoard board(2);
  Pair pair(board, sleep_for_ever);
  Watch patient(board, pair.child.pid(), {1000, kNever});
  EXPECT_FALSE(look_for(patient, pair.child.pid(), kNever, 0.5));
  Watch watch(board, pair.child.pid(), {1000, 2});
  const auto stall = look_for(watch, pair.child.pid(), kNever, 60);
  ASSERT_TRUE(stall);
  EXPECT_EQ(stall->threads, std::vector<std::string>{"other"});
  EXPECT_GE(stall->wall_s, 2);
}

TEST(Watch, SaysWhenNothingMovesAtAll) {
  ProgressBoard board(3);
  Child child([&board]() -> int {
    std::thread([&board] { sleep_for_ever(board.claim("first")); }).detach();
    std::thread([&board] { board.claim("third").rest(); }).detach();
    sleep_for_ever(board.claim("second"));
    return 0;
  });
  while (standing(board) != 2 || board.read().size() != 3) sleep_ns(1'000'000);
  Watch watch(board, child.pid(), {kNever, 0.3});
  const auto stall = look_for(watch, child.pid(), kNever, 60);
  ASSERT_TRUE(stall);
  EXPECT_TRUE(stall->all);
  EXPECT_EQ(stall->threads.size(), 2u) << "the one that rests is not among them";
}

TEST(Watch, RestingThreadsAreNotStalledAndResumingStartsTheClockAnew) {
  constexpr double kLimit = 0.5;
  ProgressBoard board(1);
  Child child([&board]() -> int {
    ProgressBoard::Slot& slot = board.claim("lazy");
    slot.rest();
    while (!board.stop_requested()) sleep_ns(1'000'000);
    slot.resume();
    sleep_for_ever(slot);
    return 0;
  });
  while (board.read().size() != 1 || standing(board) != 0) sleep_ns(1'000'000);
  Watch watch(board, child.pid(), {kNever, kLimit});
  EXPECT_FALSE(look_for(watch, child.pid(), kNever, 3 * kLimit));
  const uint64_t resumed = now_ns();
  board.request_stop();
  EXPECT_TRUE(look_for(watch, child.pid(), kNever, 60));
  EXPECT_GE(static_cast<double>(now_ns() - resumed) / 1e9, kLimit);
}

TEST(Watch, BeatsKeepTheClockFromRunningOut) {
  ProgressBoard board(2);
  Pair pair(board, [](ProgressBoard::Slot& slot) {
    for (;;) slot.beat();
  });
  Watch watch(board, pair.child.pid(), {0.5, kNever});
  EXPECT_FALSE(look_for(watch, pair.child.pid(), 1.5, 600));
}

TEST(Watch, AStoppedChildIsNotBlamed) {
  ProgressBoard board(2);
  Pair pair(board, sleep_for_ever);
  pair.child.send(SIGSTOP);
  while (!proc_stopped(pair.child.pid())) sleep_ns(1'000'000);
  Watch watch(board, pair.child.pid(), {kNever, 0.2});
  EXPECT_FALSE(look_for(watch, pair.child.pid(), kNever, 0.8));
  pair.child.send(SIGCONT);
  EXPECT_TRUE(look_for(watch, pair.child.pid(), kNever, 60));
}

TEST(Watch, AChildThatEndedIsNotStalled) {
  ProgressBoard board(1);
  Child child([&board] {
    board.claim("brief");
    return 0;
  });
  Watch watch(board, child.pid(), {1e-6, 1e-6});
  ASSERT_TRUE(child.wait(60));
  EXPECT_FALSE(watch.look());
  EXPECT_FALSE(watch.look());
}

TEST(Watch, RefusesLimitsThatAreNone) {
  ProgressBoard board(1);
  EXPECT_THROW(Watch(board, getpid(), {0, 1}), UsageError);
  EXPECT_THROW(Watch(board, getpid(), {1, -1}), UsageError);
}

}  // namespace
}  // namespace harness
