// The updaters' part of srcu.h, as users call it, with the helper at work.
#include <gtest/gtest.h>
#include <unistd.h>
#include <string.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;
using test::eventually;
using test::Flag;

TEST(Synchronize, ManyAtATimeShareGracePeriods) {
  constexpr unsigned kThreads = 32;
  Domain domain;
  const int token = srcu_down_read(domain);
  std::atomic<unsigned> called{0};
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      ++called;
      synchronize_srcu(domain);
    });
  }
  EXPECT_TRUE(eventually([&] { return called == kThreads; }));
  srcu_up_read(domain, token);
  threads.clear();
  EXPECT_LE(srcu_batches_completed(domain), 4u);
}

void synchronize_alone() {
  DEFINE_STATIC_SRCU(ssp);
  for (int i = 0; i < 10; ++i) synchronize_srcu(&ssp);
  int threads = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++threads, (void)entry;
  CHILD_CHECK(threads == 1 || test::kSanitized);
  CHILD_CHECK(srcu_batches_completed(&ssp) == 10);
  _exit(0);
}

TEST(SynchronizeDeathTest, NeedsNoHelperThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process that has none yet
  EXPECT_EXIT(synchronize_alone(), testing::ExitedWithCode(0), "");
}

TEST(CallSrcu, InvokesEachOnceWhoeverPosts) {
  constexpr unsigned kThreads = 4, kPosts = 5000;
  Domain domain;
  std::vector<Counted> counted(kThreads * kPosts);
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (unsigned i = 0; i < kPosts; ++i) counted[t * kPosts + i].post(domain);
      });
    }
  }
  srcu_barrier(domain);
  for (const Counted& each : counted) ASSERT_EQ(each.times(), 1u);
  EXPECT_TRUE(domain.usage().data.staged.posts.empty());
}

/// A callback that sees that its poster's earlier ones came before it.
struct InOrder {
  rcu_head head;
  unsigned number;
  unsigned* last;

  static void on_grace_period(rcu_head* head) {
    const auto* self = reinterpret_cast<InOrder*>(head);
    EXPECT_EQ(*self->last + 1, self->number);
    *self->last = self->number;
  }
};

TEST(CallSrcu, KeepsEachPostersOrder) {
  constexpr unsigned kThreads = 3, kPosts = 3000;
  Domain domain;
  std::vector<InOrder> all(kThreads * kPosts);
  std::array<unsigned, kThreads> last{};
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (unsigned i = 0; i < kPosts; ++i) {
          InOrder& own = all[t * kPosts + i];
          own.number = i + 1;
          own.last = &last[t];
          call_srcu(domain, &own.head, InOrder::on_grace_period);
        }
      });
    }
  }
  srcu_barrier(domain);
  for (const unsigned each : last) EXPECT_EQ(each, kPosts);
}

TEST(CallSrcu, CallbacksMaySynchronizeReadAndPost) {
  static Domain* other;
  Domain domain, second;
  other = &second;
  static Counted counted;
  rcu_head head;
  call_srcu(domain, &head, [](rcu_head*) {
    synchronize_srcu(*other);
    srcu_read_unlock(*other, srcu_read_lock(*other));
    counted.post(*other);
  });
  srcu_barrier(domain);
  srcu_barrier(second);
  EXPECT_EQ(counted.times(), 1u);
}

// What "before" means: the post returned, and told the one who then calls srcu_barrier().
TEST(Barrier, CoversEveryPostThatReturnedBefore) {
  constexpr unsigned kPosts = 4000, kBarriers = 20;
  Domain domain;
  std::vector<Counted> counted(kPosts);
  std::atomic<unsigned> posted{0}, barriers{0};
  std::jthread poster([&] {
    for (unsigned i = 0; i < kPosts; ++i) {
      if (i % 5 == 0) irq_off();  // some are staged
      counted[i].post(domain);
      if (i % 5 == 0) irq_on();
      posted.store(i + 1, std::memory_order_release);
      // Slowly enough for barriers to find it at work.
      if (i * kBarriers / kPosts > barriers) eventually([&] { return i * kBarriers / kPosts <= barriers; });
    }
  });
  std::vector<std::jthread> waiters;
  for (int w = 0; w < 2; ++w) {
    waiters.emplace_back([&] {
      for (unsigned before = 0; before < kPosts; ++barriers) {
        before = posted.load(std::memory_order_acquire);
        srcu_barrier(domain);
        for (unsigned i = 0; i < before; ++i) ASSERT_EQ(counted[i].times(), 1u) << i << " of " << before;
      }
    });
  }
  waiters.clear();
  EXPECT_GE(barriers, kBarriers);
}

TEST(Poll, GetStateStartsNothing) {
  Domain domain;
  const unsigned long cookie = get_state_synchronize_srcu(domain);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, cookie));
  EXPECT_EQ(srcu_batches_completed(domain), 0u);
  synchronize_srcu(domain);
  EXPECT_TRUE(poll_state_synchronize_srcu(domain, cookie));
}

TEST(Poll, StartPollSeesToIt) {
  Domain domain;
  for (int i = 0; i < 20; ++i) {
    const unsigned long cookie = start_poll_synchronize_srcu(domain);
    ASSERT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); })) << i;
  }
}

TEST(Poll, ACookieTakenUnderWayStandsForTheNextOne) {
  Domain domain;
  const int token = srcu_down_read(domain);
  const unsigned long first = start_poll_synchronize_srcu(domain);
  ASSERT_TRUE(eventually([&] { return test::state_of(domain.usage()) != GpState::kIdle; }));
  const unsigned long second = get_state_synchronize_srcu(domain);
  EXPECT_FALSE(same_state_synchronize_srcu(first, second));
  EXPECT_TRUE(same_state_synchronize_srcu(second, start_poll_synchronize_srcu(domain)));
  srcu_up_read(domain, token);
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, second); }));
  EXPECT_TRUE(poll_state_synchronize_srcu(domain, first));
}

TEST(Poll, TheCompletedCookieIsDone) {
  Domain domain;
  EXPECT_TRUE(poll_state_synchronize_srcu(domain, get_completed_synchronize_srcu()));
  synchronize_srcu(domain);
  EXPECT_TRUE(poll_state_synchronize_srcu(domain, get_completed_synchronize_srcu()));
}

// The sequence wraps after 100 grace periods: cookies of each of 300, old ones too, polls, callbacks and barriers.
TEST(Wrap, NothingNoticesIt) {
  Domain domain;
  std::vector<unsigned long> cookies;
  std::array<Counted, 300> counted;
  for (unsigned i = 0; i < 300; ++i) {
    cookies.push_back(get_state_synchronize_srcu(domain));
    ASSERT_FALSE(poll_state_synchronize_srcu(domain, cookies.back())) << i;
    counted[i].post(domain);
    if (i % 3 == 0) {
      synchronize_srcu_expedited(domain);
    } else if (i % 3 == 1) {
      srcu_expedite_current(domain);
      srcu_barrier(domain);
    } else {
      const unsigned long cookie = start_poll_synchronize_srcu(domain);
      srcu_expedite_current(domain);
      ASSERT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); })) << i;
    }
    for (const unsigned long cookie : cookies) ASSERT_TRUE(poll_state_synchronize_srcu(domain, cookie)) << i;
  }
  EXPECT_GE(srcu_batches_completed(domain), 300u);
  EXPECT_LT(srcu_batches_completed(domain), 1200u);
  srcu_barrier(domain);
  for (const Counted& each : counted) ASSERT_EQ(each.times(), 1u);
  EXPECT_LT(domain.usage().gp_seq, kSeqFirst) << "it has not wrapped";
}

TEST(Expedite, StartsOneWhenIdle) {
  Domain domain;
  const unsigned long cookie = get_state_synchronize_srcu(domain);
  srcu_expedite_current(domain);
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
}

TEST(Expedite, HurriesWhatIsUnderWay) {
  Domain domain;
  Usage& usage = domain.usage();
  const int token = srcu_down_read(domain);
  const unsigned long cookie = start_poll_synchronize_srcu(domain);
  ASSERT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
  EXPECT_TRUE(seq_done(usage.gp_seq, usage.gp_seq_needed_exp));
  srcu_expedite_current(domain);
  EXPECT_FALSE(seq_done(usage.gp_seq_needed_exp, cookie + kSeqGp + 1)) << "more than asked for";
  EXPECT_TRUE(seq_done(usage.gp_seq_needed_exp, cookie)) << "the one under way is not hurried";
  srcu_up_read(domain, token);
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
}

TEST(Statistics, BatchesAreCounted) {
  Domain domain;
  for (unsigned long i = 0; i < 5; ++i) {
    EXPECT_EQ(srcu_batches_completed(domain), i);
    synchronize_srcu(domain);
  }
}

TEST(Statistics, DescribeSaysWhereThingsStand) {
  DEFINE_STATIC_SRCU(ssp);
  char text[256];
  const int length = srcu_describe(&ssp, text, sizeof text);
  EXPECT_EQ(text, std::string("srcu ssp: defer_irqoff, idle; grace periods ended 0, asked for 0 more; "
                              "open sections 0 + 0; callbacks 0"));
  EXPECT_EQ(static_cast<size_t>(length), strlen(text));
  EXPECT_EQ(srcu_describe(&ssp, text, 5), length) << "as snprintf()";
  EXPECT_STREQ(text, "srcu");
  const int token = srcu_down_read(&ssp);
  Counted counted;
  counted.post(&ssp);
  ASSERT_TRUE(eventually([&] { return test::state_of(usage_of(&ssp)) == GpState::kScan2; }));
  srcu_describe(&ssp, text, sizeof text);
  EXPECT_NE(std::string(text).find("scan 2; grace periods ended 0, asked for 1 more; open sections 1 + 0; callbacks 1"),
            std::string::npos) << text;
  srcu_up_read(&ssp, token);
  srcu_barrier(&ssp);
  cleanup_srcu_struct(&ssp);
}

TEST(Held, IsTrueInsideASection) {
  Domain domain;
  const int token = srcu_read_lock(domain);
  EXPECT_TRUE(srcu_read_lock_held(domain));
  srcu_read_unlock(domain, token);
#ifdef SRCU_DEBUG
  EXPECT_FALSE(srcu_read_lock_held(domain));
  std::jthread([&] { EXPECT_FALSE(srcu_read_lock_held(domain)); }).join();
#endif
}

}  // namespace
}  // namespace srcu
