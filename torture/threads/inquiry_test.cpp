#include "torture/threads/inquiry.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <atomic>
#include <optional>

#include "harness/threads/named_thread.hpp"
#include "harness/topology/topology.hpp"

namespace torture {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr Inquiry::Looks kLooks{.count = 4, .gap_ns = 20 * kMs, .most_ns = 200 * kMs};

/// Made before anybody asks, read by everybody.
std::atomic<bool> let_go{false};
thread_local bool sits = false, lingers = false;
thread_local const std::atomic<bool>* hides = nullptr;  ///< Holds signals off while this is set.

void hold_signals_off(bool off) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(off ? SIG_BLOCK : SIG_UNBLOCK, &all, nullptr);
}

/// A scheme that does nothing; inside its section a thread sits, or lingers, if it shall.
Ops nothing() {
  Ops ops{};
  ops.version = SRCUTORTURE_OPS_VERSION;
  ops.size = sizeof(Ops);
  ops.name = "nothing";
  ops.facts = SRCUTORTURE_SLEEPING_READER;
  ops.read_lock = [](void*, void*) -> uint64_t { return 0; };
  ops.read_unlock = [](void*, void*, uint64_t) {};
  ops.synchronize = [](void*, void*) {};
  ops.protect = [](void*, void*, void** slot) {
    if (lingers) harness::sleep_ns(kMs);
    while (sits && !let_go) {
      if (hides) hold_signals_off(*hides);
      harness::sleep_ns(kMs);
    }
    return *slot;
  };
  return ops;
}

Params three_readers() {
  Params params;
  params.nreaders = 3;
  params.read_exit_burst = 0;
  params.irqreader = 0;
  return params;
}

/// Three readers without threads; the test gives each a thread that does what the test wants.
class InquiryTest : public testing::Test {
 protected:
  InquiryTest() { let_go = false; }
  ~InquiryTest() override {
    let_go = true;
    for (auto& thread : threads_) thread.join();
  }

  template <class Body>
  void cast_as(size_t reader, Body body, std::optional<unsigned> pu = std::nullopt) {
    std::atomic<bool> there{false};
    Visitor& visitor = *cast_.visitors()[reader];
    threads_.emplace_back("reader", pu, [&visitor, &there, body] {
      visitor.attach(nullptr);
      there = true;
      body(visitor);
      visitor.detach();
    });
    while (!there) harness::sleep_ns(kMs / 10);
  }
  std::string ask(const Inquiry::Looks& looks = kLooks) {
    return inquiry_.ask(looks, 0, [] { return false; });
  }
  /// Asks until the answer has these words, for a minute at most.
  std::string ask_for(const char* words, const Inquiry::Looks& looks) {
    const uint64_t end = harness::now_ns() + 60'000 * kMs;
    std::string answer = ask(looks);
    while (answer.find(words) == answer.npos && harness::now_ns() < end) answer = ask(looks);
    return answer;
  }

  static void comes_and_goes(Visitor& visitor) {
    while (!let_go) visitor.plain();
  }
  static void sits_inside(Visitor& visitor) {
    sits = true;
    visitor.plain();
  }
  static void stays_outside(Visitor&) {
    while (!let_go) harness::sleep_ns(kMs);
  }

  const Ops ops_ = nothing();
  World world_{ops_, nullptr, 1};
  Params params_ = three_readers();
  Cast cast_{world_, params_, Roles::of(ops_, params_, 2), nullptr};
  Inquiry inquiry_{cast_};
  std::vector<harness::NamedThread> threads_;
};

#define EXPECT_HAS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)
#define EXPECT_LACKS(text, words) EXPECT_EQ((text).find(words), std::string::npos) << (text)

TEST_F(InquiryTest, ReaderThatSitsInItsSectionIsNamedAndNobodyElse) {
  cast_as(0, comes_and_goes);
  cast_as(1, stays_outside);
  cast_as(2, sits_inside);
  const std::string answer = ask_for("at every look", kLooks);
  EXPECT_HAS(answer, "reader 2 (CPU ");
  EXPECT_LACKS(answer, "reader 0 (CPU ");
  EXPECT_LACKS(answer, "reader 1 (CPU ");
  EXPECT_HAS(answer, ") has been inside the same section at every look (");
  EXPECT_LACKS(answer, "purpose");
}

// Inside at the first look, and then silent: that proves little beside one that was inside at every look.
TEST_F(InquiryTest, WhatWasSeenOnceCountsOnlyWhereNothingBetterIsKnown) {
  static std::atomic<bool> shy{false};
  cast_as(0, [](Visitor& visitor) {
    hides = &shy;
    sits_inside(visitor);
  });
  const auto after_one_look = [] { return shy = true, false; };
  const auto ask_shy = [&] {
    shy = false;
    return inquiry_.ask(kLooks, 0, after_one_look);
  };
  std::string answer = ask_shy();
  const uint64_t end = harness::now_ns() + 60'000 * kMs;
  while (answer.find("at the one look") == answer.npos && harness::now_ns() < end) answer = ask_shy();
  EXPECT_HAS(answer, ") was inside its section at the one look that it answered (");
  cast_as(2, sits_inside);
  // On a busy machine it may answer twice before it falls silent.
  while (!answer.starts_with("reader 2") && harness::now_ns() < end) answer = ask_shy();
  EXPECT_HAS(answer, "reader 2 (CPU ");
  EXPECT_LACKS(answer, "reader 0 (CPU ");
}

TEST_F(InquiryTest, NobodyInsideIsTheSchemesFault) {
  cast_as(0, stays_outside);
  cast_as(1, stays_outside);
  EXPECT_HAS(ask_for("no reader", kLooks),
             "no reader stays inside a section: the scheme itself stands still");
}

// At every look inside, but each time in another section. One that loses its CPU in one for long is named,
// and that may happen now and then.
TEST_F(InquiryTest, ReaderThatComesAndGoesHoldsNothingUp) {
  cast_as(0, [](Visitor& visitor) {
    lingers = true;
    comes_and_goes(visitor);
  });
  int named = 0;
  for (int i = 0; i < 8; ++i) named += ask().find("has been inside") != std::string::npos;
  EXPECT_LT(named, 4);
}

TEST_F(InquiryTest, DelayOnPurposeIsSaid) {
  cast_as(0, [](Visitor& visitor) {
    const Phase phase{.name = "test", .delays = true, .readers = 1, .updaters = 1};
    while (!let_go) visitor.special(phase);
  });
  const std::string answer = ask_for("purpose", {.count = 3, .gap_ns = 2 * kMs, .most_ns = 0});
  EXPECT_TRUE(answer.starts_with("reader 0 (CPU ")) << answer;
  EXPECT_HAS(answer, ", where it delays on purpose (");
}

TEST_F(InquiryTest, ReaderThatDoesNotAnswerIsNamed) {
  cast_as(1, [](Visitor& visitor) {
    hold_signals_off(true);
    stays_outside(visitor);
  });
  EXPECT_HAS(ask_for("(state S)", kLooks),
             "reader 1 does not answer: blocked, or it holds signals off (state S)");
}

// Behind a thread that never sleeps, on the same CPU, an idle-class thread waits for many milliseconds.
TEST_F(InquiryTest, ReaderWithoutACpuIsNamedAsSuch) {
  const unsigned pu = harness::Topology::this_machine().pus().front();
  cast_as(
      2,
      [](Visitor& visitor) {
        const sched_param none{};
        ASSERT_EQ(sched_setscheduler(0, SCHED_IDLE, &none), 0);
        comes_and_goes(visitor);
      },
      pu);
  harness::NamedThread hog("hog", pu, [] {
    while (!let_go) {
    }
  });
  const std::string answer = ask_for("no CPU", {.count = 2, .gap_ns = 2 * kMs, .most_ns = 0});
  let_go = true;
  EXPECT_HAS(answer, "reader 2 is given no CPU (2 looks in ");
}

TEST_F(InquiryTest, WhatEndsMeanwhileIsLookedAtNoMore) {
  int looks = 0;
  const std::string answer = inquiry_.ask(kLooks, 0, [&] { return ++looks >= 2; });
  EXPECT_EQ(answer.find("no reader stayed inside a section until it ended (2 looks in "), 0U) << answer;
  EXPECT_HAS(answer, ", then it ended)");
}

TEST_F(InquiryTest, NobodyThereIsNobodyAsked) { EXPECT_TRUE(ask().starts_with("no reader stays inside")); }

}  // namespace
}  // namespace torture
