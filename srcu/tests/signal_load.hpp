// Signals at a thread's own pace: a POSIX timer that interrupts the thread which made it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace srcu::test {

/// Interrupts the calling thread every `interval_ns` while it lives. On the thread that made it alone.
class SignalTimer {
 public:
  SignalTimer(int signal, long interval_ns) {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal;
    event._sigev_un._tid = gettid();
    made_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    EXPECT_TRUE(made_);
    const itimerspec interval = {{0, interval_ns}, {0, interval_ns}};
    if (made_) timer_settime(timer_, 0, &interval, nullptr);
  }
  ~SignalTimer() {
    if (made_) timer_delete(timer_);
  }
  SignalTimer(const SignalTimer&) = delete;
  SignalTimer& operator=(const SignalTimer&) = delete;

 private:
  timer_t timer_{};
  bool made_ = false;
};

/// Handles `signal` with `handler` while it lives.
class HandledSignal {
 public:
  HandledSignal(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(signal_, &action, &before_);
  }
  ~HandledSignal() {
    // One that is still on its way is nobody's.
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(signal_, &ignore, nullptr);
    sigaction(signal_, &before_, nullptr);
  }
  HandledSignal(const HandledSignal&) = delete;
  HandledSignal& operator=(const HandledSignal&) = delete;

 private:
  const int signal_;
  struct sigaction before_ {};
};

}  // namespace srcu::test
