// For tests: a process that hangs, in functions whose names a stack must show.
#pragma once

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "harness/base/clock.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/command.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/supervise/progress_board.hpp"
#include "harness/supervise/stack_mailbox.hpp"
#include "harness/supervise/stacks.hpp"

namespace harness {

// ThreadSanitizer has a thread of its own, which never answers, and calls handlers from its own code.
#ifdef SRCUTORTURE_TSAN
inline constexpr bool kForeignHandler = true;
inline constexpr double kAnswerS = 3;
#else
inline constexpr bool kForeignHandler = false;
inline constexpr double kAnswerS = 60;
#endif

// Each waits or spins in its own function, never to return; outside of these, nothing bears these names.
[[gnu::noinline]] inline void stuck_in_the_mud() {
  for (;;) pause();
}
[[gnu::noinline]] inline void running_in_circles(ProgressBoard::Slot& slot) {
  for (;;) slot.beat();
}

/// A hung process: one thread asleep, one spinning, the main thread waiting for them.
class Hung : public ::testing::Test {
 protected:
  Hung() : board(2), child(body(), &mailbox) {
    while (board.read().size() < 2) sleep_ns(1'000'000);
  }

  std::function<int()> body() {
    return [this] {
      std::thread sleeper([this] {
        pthread_setname_np(pthread_self(), "sleeper/0");
        board.claim("sleeper/0");
        stuck_in_the_mud();
      });
      std::thread runner([this] {
        pthread_setname_np(pthread_self(), "runner/0");
        running_in_circles(board.claim("runner/0"));
      });
      sleeper.join();
      runner.join();
      return 0;
    };
  }

  uint64_t beats() const {
    uint64_t sum = 0;
    for (const auto& reading : board.read()) sum += reading.beats;
    return sum;
  }
  void expect_running() const {
    const uint64_t before = beats();
    for (int tries = 0; tries < 6000 && beats() == before; ++tries) sleep_ns(10'000'000);
    EXPECT_GT(beats(), before) << "the process was left stopped";
  }
  static StackLimits without_gdb() {
    StackLimits limits;
    limits.gdb_s = 0;
    limits.answer_s = kAnswerS;
    return limits;
  }

  ProgressBoard board;
  StackMailbox mailbox;
  Child child;
};

inline bool has(const Stacks& stacks, const char* words) {
  return stacks.text.find(words) != std::string::npos;
}

inline bool gdb_installed() { return run_bounded({"gdb", "--version"}, 60, 1 << 20).exit_code == 0; }

}  // namespace harness
