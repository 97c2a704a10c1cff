#include "harness/threads/signal_injector.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/threads/named_thread.hpp"

namespace harness {
namespace {

constexpr uint64_t kLeast = 50'000, kMost = 500'000, kSeed = 7;

/// What the handler writes; it runs in the thread that reads it.
struct Seen {
  std::atomic<uint64_t> calls{0};
  std::atomic<pid_t> tid{0};
};

void note(void* argument) {
  Seen& seen = *static_cast<Seen*>(argument);
  // relaxed: looked at by the same thread, or after it was joined.
  seen.calls.fetch_add(1, std::memory_order_relaxed);
  seen.tid.store(gettid(), std::memory_order_relaxed);
  errno = EIO;
}

void spin_until(const auto& condition) {
  while (!condition()) sleep_ns(10'000);
}

TEST(SignalInjector, InterruptsTheThreadThatAskedForIt) {
  SignalInjector injector(kLeast, kMost, kSeed);
  Seen seen;
  pid_t tid = 0;
  NamedThread("target", std::nullopt, [&] {
    tid = gettid();
    SignalTarget target(injector, 0, note, &seen);
    spin_until([&] { return target.delivered() >= 20; });
  }).join();
  EXPECT_GE(seen.calls.load(), 20u);
  EXPECT_EQ(seen.calls.load(), injector.delivered());
  EXPECT_EQ(seen.tid.load(), tid);
  EXPECT_EQ(injector.strays(), 0u);
}

TEST(SignalInjector, CountsPerThreadAndKeepsTheSumWhenTheyGo) {
  SignalInjector injector(kLeast, kMost, kSeed);
  Seen a, b;
  const auto body = [&injector](Seen& seen, uint64_t index, uint64_t wanted) {
    SignalTarget target(injector, index, note, &seen);
    spin_until([&] { return target.delivered() >= wanted; });
  };
  NamedThread first("target/0", std::nullopt, [&] { body(a, 0, 5); });
  NamedThread second("target/1", std::nullopt, [&] { body(b, 1, 9); });
  first.join();
  second.join();
  EXPECT_GE(a.calls.load(), 5u);
  EXPECT_GE(b.calls.load(), 9u);
  EXPECT_EQ(injector.delivered(), a.calls.load() + b.calls.load());
}

TEST(SignalInjector, NothingComesAfterTheTargetIsGone) {
  SignalInjector injector(SignalInjector::kClosest, SignalInjector::kClosest, kSeed);
  Seen seen;
  for (int round = 0; round < 300; ++round) {
    std::optional<SignalTarget> target(std::in_place, injector, round, note, &seen);
    if (round % 2 == 0) {
      // The signal is on its way, and held off, when the target goes.
      const SignalHoldOff hold(injector);
      sleep_ns(50'000);
      target.reset();
    } else {
      target.reset();
    }
    const uint64_t calls = seen.calls;
    sleep_ns(50'000);
    ASSERT_EQ(seen.calls.load(), calls) << "round " << round;
  }
  EXPECT_EQ(injector.strays(), 0u) << "a signal outlived its target";
}

TEST(SignalInjector, WhatIsPendingGoesWithTheTarget) {
  SignalInjector injector(kMost, kMost, kSeed);
  const uint64_t strays = injector.strays();
  Seen seen;
  std::optional<SignalHoldOff> hold(std::in_place, injector);
  {
    SignalTarget target(injector, 0, note, &seen);
    // Newer kernels take a timer's signal back with the timer, older ones do not: this one is nobody's.
    raise(injector.signo());
  }
  hold.reset();
  EXPECT_EQ(seen.calls.load(), 0u);
  EXPECT_EQ(injector.strays(), strays) << "it was delivered late";
}

TEST(SignalInjector, HoldOffDelaysOneDeliveryUntilItEnds) {
  SignalInjector injector(kLeast, kLeast, kSeed);
  Seen seen;
  SignalTarget target(injector, 0, note, &seen);
  {
    const SignalHoldOff outer(injector);
    const SignalHoldOff inner(injector);
    const uint64_t before = seen.calls;
    sleep_ns(20'000'000);
    EXPECT_EQ(seen.calls.load(), before);
  }
  spin_until([&] { return seen.calls >= 1; });
}

TEST(SignalInjector, KeepsErrno) {
  SignalInjector injector(kLeast, kMost, kSeed);
  Seen seen;
  SignalTarget target(injector, 0, note, &seen);
  errno = ENOENT;
  // No library call in between: it could set errno itself.
  while (target.delivered() < 5) {
  }
  EXPECT_EQ(errno, ENOENT);
}

TEST(SignalInjector, TwoInjectorsServeOneThread) {
  SignalInjector irq(kLeast, kMost, kSeed), nmi(kLeast, kMost, kSeed, SignalInjector::default_signal() + 1);
  Seen a, b;
  SignalTarget irq_target(irq, 0, note, &a), nmi_target(nmi, 0, note, &b);
  const SignalHoldOff irqs_off(irq);
  const uint64_t held = a.calls;
  spin_until([&] { return nmi_target.delivered() >= 5; });
  EXPECT_EQ(a.calls.load(), held) << "holding one off must not hold the other off, nor let it in";
}

TEST(SignalInjector, GivesTheSignalBack) {
  const int signo = SignalInjector::default_signal();
  { SignalInjector injector(kLeast, kMost, kSeed); }
  struct sigaction now {};
  sigaction(signo, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(SignalInjector, RefusesWhatMakesNoSense) {
  EXPECT_THROW(SignalInjector(SignalInjector::kClosest - 1, kMost, kSeed), UsageError);
  EXPECT_THROW(SignalInjector(kMost, kLeast, kSeed), UsageError);
  EXPECT_THROW(SignalInjector(kLeast, kMost, kSeed, SIGTERM), UsageError);
  SignalInjector injector(kLeast, kMost, kSeed);
  EXPECT_THROW(SignalInjector(kLeast, kMost, kSeed), Broken);
  SignalTarget target(
      injector, 0, [](void*) {}, nullptr);
  EXPECT_THROW(SignalTarget(
                   injector, 1, [](void*) {}, nullptr),
               UsageError);
}

TEST(SignalInjector, CountsStrays) {
  SignalInjector injector(kLeast, kMost, kSeed);
  const uint64_t before = injector.strays();
  raise(injector.signo());
  EXPECT_EQ(injector.strays(), before + 1);
}

}  // namespace
}  // namespace harness
