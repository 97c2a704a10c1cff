#include "harness/supervise/stop_signals.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <optional>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/child.hpp"

namespace harness {
namespace {

constexpr double kLong = 60;

void (*handler_of(int signo))(int) {
  struct sigaction now {};
  sigaction(signo, nullptr, &now);
  return now.sa_handler;
}

/// In a child all are blocked, so that the parent alone decides.
void let_through() {
  const sigset_t stops = stop_signals();
  sigprocmask(SIG_UNBLOCK, &stops, nullptr);
}

TEST(StopSignals, NotesTheFirstAndWakesTheWaiter) {
  for (const int signo : {SIGINT, SIGTERM, SIGHUP}) {
    StopSignals stop;
    EXPECT_EQ(stop.noted(), 0);
    EXPECT_FALSE(stop.wait(0.01));
    pollfd wake{stop.fd(), POLLIN, 0};
    EXPECT_EQ(poll(&wake, 1, 0), 0);
    raise(signo);
    EXPECT_EQ(stop.noted(), signo);
    EXPECT_TRUE(stop.wait(kLong));
    EXPECT_EQ(poll(&wake, 1, 0), 1);
  }
}

TEST(StopSignals, RestoresWhatWasThere) {
  const auto before = signal(SIGINT, SIG_IGN);
  {
    StopSignals stop;
    EXPECT_NE(handler_of(SIGINT), SIG_IGN);
  }
  EXPECT_EQ(handler_of(SIGINT), SIG_IGN);
  EXPECT_EQ(handler_of(SIGTERM), SIG_DFL);
  EXPECT_EQ(handler_of(SIGHUP), SIG_DFL);
  signal(SIGINT, before);
}

TEST(StopSignals, LeavesAnIgnoredHangUpIgnored) {
  const auto before = signal(SIGHUP, SIG_IGN);
  {
    const StopSignals stop;
    raise(SIGHUP);
    EXPECT_EQ(stop.noted(), 0) << "as nohup(1) wants it";
  }
  EXPECT_EQ(handler_of(SIGHUP), SIG_IGN);
  signal(SIGHUP, before);
}

TEST(StopSignals, ManyInTheFirstMomentAreOneStop) {
  for (const auto& [first, second] : {std::pair{SIGINT, SIGINT}, {SIGINT, SIGTERM}, {SIGTERM, SIGINT}}) {
    Child child([first = first, second = second] {
      let_through();
      StopSignals stop(kLong);
      raise(first);
      for (int i = 0; i < 5; ++i) raise(second);
      return stop.noted();
    });
    const auto ended = child.wait(kLong);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->exit_code, first) << ended->words();
  }
}

TEST(StopSignals, ALaterOneEndsAtOnce) {
  for (const auto& [first, second] : {std::pair{SIGINT, SIGINT}, {SIGINT, SIGTERM}, {SIGTERM, SIGINT}}) {
    Child child([first = first, second = second] {
      let_through();
      StopSignals stop(0.02);
      raise(first);
      if (stop.noted() != first) return 1;
      sleep_ns(30'000'000);
      raise(second);
      return 2;
    });
    const auto ended = child.wait(kLong);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->signal, second) << ended->words();
  }
}

TEST(StopSignals, ASignalFromOutsideEndsTheWait) {
  // Blocked before the fork, or it might come too early.
  sigset_t ready;
  sigemptyset(&ready);
  sigaddset(&ready, SIGUSR1);
  sigprocmask(SIG_BLOCK, &ready, nullptr);
  Child child([] {
    let_through();
    StopSignals stop;
    kill(getppid(), SIGUSR1);
    return stop.wait(kLong) ? stop.noted() : 0;
  });
  siginfo_t from{};
  const timespec limit{60, 0};
  ASSERT_EQ(sigtimedwait(&ready, &from, &limit), SIGUSR1);
  child.send(SIGTERM);
  const auto ended = child.wait(kLong);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, SIGTERM);
}

TEST(StopSignals, OnlyOneAtATime) {
  std::optional<StopSignals> stop(std::in_place);
  EXPECT_THROW(StopSignals(), UsageError);
  stop.reset();
  EXPECT_NO_THROW(StopSignals());
}

}  // namespace
}  // namespace harness
