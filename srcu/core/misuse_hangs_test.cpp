// More of what srcu.h forbids: calls that would hang, or go wrong far from their cause. With checks (SRCU_DEBUG), as in
// misuse_test.cpp.
#include <gtest/gtest.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <regex>
#include <string>

#include "srcu/core/usage.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

DEFINE_STATIC_SRCU(config);
DEFINE_STATIC_SRCU(other);
DEFINE_STATIC_SRCU_FAST(hot);

// A pattern that may refer to its own groups, which EXPECT_DEATH()'s own does not bear: for addresses.
class Finds : public testing::MatcherInterface<const std::string&> {
 public:
  explicit Finds(const std::string& pattern) : pattern_(pattern) {}
  bool MatchAndExplain(const std::string& text, testing::MatchResultListener*) const override {
    return std::regex_search(text, std::regex(pattern_));
  }
  void DescribeTo(std::ostream* out) const override { *out << "finds " << pattern_; }

 private:
  const std::string pattern_;
};
testing::Matcher<const std::string&> finds(const std::string& pattern) { return testing::MakeMatcher(new Finds(pattern)); }

class HangDeathTest : public testing::Test {
 protected:
  HangDeathTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    alarm(100);  // in children, too: what is not seen hangs
  }
  ~HangDeathTest() override { alarm(0); }
};

TEST_F(HangDeathTest, BarrierInAnOwnSection) {
  EXPECT_DEATH((srcu_read_lock(&config), srcu_barrier(&config)),
               "srcu: srcu_barrier\\(config\\) by a thread that is in a section of that domain: it would wait for itself; "
               "close the section before");
  EXPECT_DEATH((srcu_read_lock_fast(&hot), srcu_barrier(&hot)), "srcu: srcu_barrier\\(hot\\) by a thread that is in a section");
}

TEST(Hang, BarrierInAnotherDomainsSection) {
  const int token = srcu_read_lock(&other);
  test::Counted counted;
  counted.post(&config);
  srcu_barrier(&config);
  EXPECT_EQ(counted.times(), 1u);
  srcu_read_unlock(&other, token);
}

TEST_F(HangDeathTest, FlushInACallback) {
  EXPECT_DEATH(
      {
        rcu_head head;
        call_srcu(&config, &head, [](rcu_head*) { bpf_defer_flush(); });
        srcu_barrier(&config);
      },
      "srcu: bpf_defer_flush\\(\\) in a callback: it might wait for itself; call it from another thread");
}

// A handler is known by what it interrupted.
TEST_F(HangDeathTest, InAHandlerThatInterruptedTheLibrary) {
  constexpr const char* kSays =
      "\\(config\\) in a signal handler that interrupted the library, or between srcu_before_fork\\(\\) and what belongs after: "
      "it might wait for a lock that is held below; have a thread call it, later";
  const auto interrupting = [] {
    srcu_read_unlock(&config, srcu_read_lock(&config));
    fprintf(stderr, "at work: ");
    irq_off();
  };
  EXPECT_DEATH((interrupting(), synchronize_srcu(&config)), std::string("at work: srcu: synchronize_srcu") + kSays);
  EXPECT_DEATH((interrupting(), srcu_barrier(&config)), std::string("at work: srcu: srcu_barrier") + kSays);
  EXPECT_DEATH((interrupting(), cleanup_srcu_struct(&config)), std::string("at work: srcu: cleanup_srcu_struct") + kSays);
  EXPECT_DEATH((interrupting(), (void)start_poll_synchronize_srcu(&config)),
               std::string("at work: srcu: start_poll_synchronize_srcu") + kSays);
  EXPECT_DEATH((interrupting(), srcu_expedite_current(&config)), std::string("at work: srcu: srcu_expedite_current") + kSays);
  EXPECT_DEATH((interrupting(), srcu_set_strategy(&config, "direct")), std::string("at work: srcu: srcu_set_strategy") + kSays);
  static srcu_struct fresh;
  EXPECT_DEATH((interrupting(), init_srcu_struct(&fresh)),
               "at work: srcu: init_srcu_struct\\(0x[0-9a-f]+\\) in a signal handler that interrupted the library");
  EXPECT_DEATH((srcu_batches_completed(&config), srcu_before_fork(), synchronize_srcu(&config)), std::string("srcu: synchronize_srcu") + kSays);
}

// Two that no DEFINE_SRCU() has given a name.
TEST_F(HangDeathTest, DomainsWithoutANameGoByTheirAddress) {
  static srcu_struct one, two;
  EXPECT_DEATH(
      {
        CHILD_CHECK(init_srcu_struct(&one) == 0 && init_srcu_struct(&two) == 0);
        fprintf(stderr, "its address is %p. ", static_cast<void*>(&two));
        srcu_read_unlock(&two, srcu_read_lock(&one));
      },
      finds("its address is (0x[0-9a-f]+)\\. srcu: unlock in domain \\1 without a lock by this thread"));
}

TEST_F(HangDeathTest, AMovedDomain) {
  static srcu_struct made, moved;
  const auto move = [] {
    CHILD_CHECK(init_srcu_struct(&made) == 0);
    memcpy(&moved, &made, sizeof moved);
    fprintf(stderr, "from %p to %p. ", static_cast<void*>(&made), static_cast<void*>(&moved));
    memset(&made, 0, sizeof made);
  };
  constexpr const char* kSays =
      "from (0x[0-9a-f]+) to (0x[0-9a-f]+)\\. srcu: domain \\2 at \\2 was made at \\1, and moved: leave it where it is made, or "
      "call init_srcu_struct\\(\\) there";
  EXPECT_DEATH((move(), srcu_read_lock(&moved)), finds(kSays));
  EXPECT_DEATH((move(), synchronize_srcu(&moved)), finds(kSays));
  EXPECT_DEATH((move(), cleanup_srcu_struct(&moved)), finds(kSays));
}

TEST_F(HangDeathTest, APostWithoutAFunction) {
  EXPECT_DEATH(
      {
        rcu_head head;
        call_srcu(&config, &head, nullptr);
        srcu_barrier(&config);
      },
      "srcu: call_srcu\\(config\\) of a head \\(0x[0-9a-f]+\\) with no function: pass one, which may be empty");
}

TEST_F(HangDeathTest, TraceReadersBeyondTheLimit) {
  EXPECT_DEATH(
      {
        for (int i = 0; i < 64; ++i) rcu_read_lock_trace();
        fprintf(stderr, "64. ");
        rcu_read_lock_trace();
      },
      "64. srcu: rcu_read_lock_trace\\(\\) inside of 64 sections of its own, which is the limit: use "
      "srcu_read_lock_fast\\(&rcu_tasks_trace_srcu_struct\\), and keep its token");
}

TEST_F(HangDeathTest, TraceUnlockWithoutLock) {
  EXPECT_DEATH(rcu_read_unlock_trace(),
               "srcu: rcu_read_unlock_trace\\(\\) without rcu_read_lock_trace\\(\\) by this thread: pair them, on one thread");
}

}  // namespace
}  // namespace srcu
