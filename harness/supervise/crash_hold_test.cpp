#include "harness/supervise/crash_hold.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <thread>

#include "harness/supervise/hung_process.hpp"

namespace harness {
namespace {

constexpr double kLong = 60;
constexpr double kNever = 1e6;

[[gnu::noinline, gnu::noclone]] void crash_here() {
  int* volatile nowhere = nullptr;
  *static_cast<volatile int*>(nowhere) = 1;
}

/// A child in which one thread beats until the end while another one does as it is told.
class CrashHold : public ::testing::Test {
 protected:
  Child crashing(double seconds, std::function<void()> how) {
    return Child(
        [this, seconds, how = std::move(how)] {
          hold_on_crash(board, seconds);
          std::thread runner([this] {
            for (ProgressBoard::Slot& slot = board.claim("runner/0");; sleep_ns(1'000'000)) slot.beat();
          });
          while (board.read().empty()) sleep_ns(1'000'000);
          std::thread(how).join();
          return 0;
        },
        &mailbox);
  }
  void wait_for_the_crash(Child& child) const {
    while (!board.help_asked()) ASSERT_FALSE(child.wait(0.001)) << "it ended and did not ask";
  }
  uint64_t beats() const { return board.read().front().beats; }

  ProgressBoard board{1};
  StackMailbox mailbox;
};

class CrashHoldSignal : public CrashHold, public ::testing::WithParamInterface<int> {};

TEST_P(CrashHoldSignal, IsHeldUntilHelpIsGivenThenTakesItsCourse) {
  Child child = crashing(kNever, [] { raise(GetParam()); });
  ASSERT_NO_FATAL_FAILURE(wait_for_the_crash(child));
  const uint64_t before = beats();
  while (beats() < before + 3)  // for ever, if the other threads are held too
    ASSERT_FALSE(child.wait(0.001)) << "it was not held";
  EXPECT_FALSE(child.wait(0.05));
  board.give_help();
  const auto ended = child.wait(kLong);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->signal, GetParam()) << ended->words();
  EXPECT_FALSE(ended->foreign);
}

INSTANTIATE_TEST_SUITE_P(All, CrashHoldSignal, ::testing::Values(SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT),
                         [](const auto& info) { return signal_name(info.param); });

TEST_F(CrashHold, ARealFaultCrashesAgainAfterItWasHeld) {
  Child child = crashing(kNever, crash_here);
  ASSERT_NO_FATAL_FAILURE(wait_for_the_crash(child));
  board.give_help();
  const auto ended = child.wait(kLong);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->signal, SIGSEGV) << ended->words();
}

TEST_F(CrashHold, AnAbortEndsByItsOwnSignal) {
  Child child = crashing(kNever, [] { std::abort(); });
  ASSERT_NO_FATAL_FAILURE(wait_for_the_crash(child));
  board.give_help();
  const auto ended = child.wait(kLong);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->signal, SIGABRT) << ended->words();
}

TEST_F(CrashHold, NobodyComesAndItEndsByItself) {
  Child child = crashing(0.2, crash_here);
  ASSERT_NO_FATAL_FAILURE(wait_for_the_crash(child));
  const auto ended = child.wait(kLong);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->signal, SIGSEGV) << ended->words();
}

TEST_F(CrashHold, TheCrashedThreadTellsWhereWithoutADebugger) {
  Child child = crashing(kNever, crash_here);
  ASSERT_NO_FATAL_FAILURE(wait_for_the_crash(child));
  StackLimits limits;
  limits.gdb_s = 0;
  limits.answer_s = kAnswerS;
  const Stacks stacks = take_stacks(child.pid(), &mailbox, limits);
  EXPECT_EQ(stacks.way, "signal");
  EXPECT_TRUE(has(stacks, "crash_here")) << stacks.text;
  board.give_help();
  EXPECT_TRUE(child.wait(kLong));
}

TEST_F(CrashHold, OtherSignalsDoNotReachTheCrashedThread) {
  Child child = crashing(kNever, [] {
    signal(SIGUSR1, [](int) { _exit(99); });
    pthread_setname_np(pthread_self(), "crasher");
    crash_here();
  });
  ASSERT_NO_FATAL_FAILURE(wait_for_the_crash(child));
  unsigned told = 0;
  for (const pid_t tid : proc_threads(child.pid()))
    if (proc_stat(child.pid(), tid)->comm == "crasher") told += tgkill(child.pid(), tid, SIGUSR1) == 0;
  EXPECT_EQ(told, 1u);
  board.give_help();
  const auto ended = child.wait(kLong);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->signal, SIGSEGV) << ended->words();
}

}  // namespace
}  // namespace harness
