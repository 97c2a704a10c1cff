// What srcu.h forbids. With checks (SRCU_DEBUG), one line names the culprit and the cure, and the process ends.
#include <errno.h>
#include <gtest/gtest.h>
#include <string.h>

#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/tests/reader_kinds.hpp"
#include "srcu/tests/support.hpp"

#ifndef SRCU_DEBUG
#error "these are tests of the library with checks"
#endif

namespace srcu {
namespace {

using test::Counted;
using test::Domain;
using test::Flag;

DEFINE_STATIC_SRCU(config);
DEFINE_STATIC_SRCU(other);
DEFINE_STATIC_SRCU_FAST(hot);
DEFINE_STATIC_SRCU_FAST_UPDOWN(moved);

class MisuseDeathTest : public testing::Test {
 protected:
  // The child runs only what is to fail, though helper threads may exist here.
  MisuseDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(MisuseDeathTest, DoubleInit) {
  static srcu_struct ssp;
  EXPECT_DEATH(
      {
        init_srcu_struct(&ssp);
        init_srcu_struct(&ssp);
      },
      "srcu: init_srcu_struct\\(0x[0-9a-f]+\\) of a domain that is in use: call it once, or after cleanup");
  EXPECT_DEATH(
      {
        synchronize_srcu(&config);
        init_srcu_struct(&config);
      },
      "srcu: init_srcu_struct\\(config\\) of a domain that is in use");
}

TEST_F(MisuseDeathTest, UseBeforeInit) {
  static srcu_struct zeroed;
  constexpr const char* kSays = "srcu: domain at 0x[0-9a-f]+ is used before init_srcu_struct\\(\\): call that, or use DEFINE_SRCU";
  EXPECT_DEATH(srcu_read_lock(&zeroed), kSays);
  EXPECT_DEATH(synchronize_srcu(&zeroed), kSays);
  Counted counted;
  EXPECT_DEATH(counted.post(&zeroed), kSays);
  EXPECT_DEATH(cleanup_srcu_struct(&zeroed), kSays);
}

TEST_F(MisuseDeathTest, UseAfterCleanup) {
  const auto used_up = [] {
    synchronize_srcu(&config);
    cleanup_srcu_struct(&config);
  };
  constexpr const char* kSays = "srcu: domain config is used after cleanup_srcu_struct\\(\\): call init_srcu_struct\\(\\) first";
  EXPECT_DEATH((used_up(), srcu_read_lock(&config)), kSays);
  EXPECT_DEATH((used_up(), synchronize_srcu(&config)), kSays);
  EXPECT_DEATH((used_up(), srcu_barrier(&config)), kSays);
  EXPECT_DEATH((used_up(), cleanup_srcu_struct(&config)), kSays);
  EXPECT_DEATH((used_up(), (void)start_poll_synchronize_srcu(&config)), kSays);
}

TEST_F(MisuseDeathTest, CleanupInsideAnOwnSection) {
  EXPECT_DEATH((srcu_read_lock(&config), cleanup_srcu_struct(&config)),
               "srcu: cleanup_srcu_struct\\(config\\) by a thread that is in a section of that domain");
}

TEST_F(MisuseDeathTest, CleanupInACallback) {
  EXPECT_DEATH(
      {
        rcu_head head;
        call_srcu(&config, &head, [](rcu_head*) { cleanup_srcu_struct(&config); });
        srcu_barrier(&config);
      },
      "srcu: cleanup_srcu_struct\\(config\\) in a callback: it would wait for itself; call it from another thread");
}

// Others' use is refused and said, in every build: see domain_test.cpp. Here, that it ends no process.
TEST_F(MisuseDeathTest, CleanupWhileInUseByOthersGoesOn) {
  EXPECT_EXIT(
      {
        Flag open;
        Flag go;
        std::jthread reader([&] {
          const int token = srcu_read_lock(&config);
          open.set();
          CHILD_CHECK(go.wait());
          srcu_read_unlock(&config, token);
        });
        CHILD_CHECK(open.wait());
        cleanup_srcu_struct(&config);
        go.set();
        reader.join();
        synchronize_srcu(&config);
        _exit(0);
      },
      testing::ExitedWithCode(0), "srcu: cleanup_srcu_struct\\(config\\): 1 sections are open; stop all readers before");
}

TEST_F(MisuseDeathTest, ATokenThatNoLockGave) {
  EXPECT_DEATH((srcu_read_lock(&config), srcu_read_unlock(&config, 2)),
               "srcu: unlock in domain config with token 2, which no lock gave: pass what the lock returned");
  EXPECT_DEATH((srcu_read_lock(&config), srcu_read_unlock(&config, -1)), "domain config with token -1, which no lock gave");
  EXPECT_DEATH((srcu_read_lock_fast(&hot), srcu_read_unlock_fast(&hot, nullptr)), "domain hot with token");
  EXPECT_DEATH((srcu_read_lock_fast(&hot), srcu_read_unlock_fast(&hot, reinterpret_cast<srcu_ctr*>(&hot))),
               "domain hot with token");
}

TEST_F(MisuseDeathTest, AnotherSectionsToken) {
  EXPECT_DEATH(
      {
        const int token = srcu_read_lock(&config);
        srcu_read_unlock(&config, 1 - token);
      },
      "srcu: unlock in domain config with token 1, but this thread's sections have token 0: pass what the lock of that");
}

TEST_F(MisuseDeathTest, UnlockWithoutLock) {
  constexpr const char* kSays =
      "srcu: unlock in domain config without a lock by this thread: pair them, or use srcu_down_read\\(\\) and";
  EXPECT_DEATH(srcu_read_unlock(&config, 0), kSays);
  EXPECT_DEATH(
      {
        const int token = srcu_read_lock(&config);
        srcu_read_unlock(&config, token);
        srcu_read_unlock(&config, token);
      },
      kSays);
  EXPECT_DEATH(
      {
        const int token = srcu_read_lock(&config);
        std::jthread([token] { srcu_read_unlock(&config, token); }).join();
      },
      kSays);
  EXPECT_DEATH(srcu_read_unlock(&config, srcu_down_read(&config)), kSays);
}

TEST_F(MisuseDeathTest, AnotherKindOfReader) {
  constexpr const char* kSays = "is read by another kind of reader than it was made for: make it with DEFINE_SRCU";
  EXPECT_DEATH(srcu_read_lock_fast(&config), "srcu: domain config is read by another kind of reader.* DEFINE_SRCU_FAST\\(\\)");
  EXPECT_DEATH(srcu_read_lock(&hot), "srcu: domain hot is read by another kind of reader.* DEFINE_SRCU\\(\\)");
  EXPECT_DEATH(srcu_read_lock_nmisafe(&hot), kSays);
  EXPECT_DEATH(srcu_down_read(&hot), kSays);
  EXPECT_DEATH(srcu_read_lock_fast_updown(&hot), "DEFINE_SRCU_FAST_UPDOWN\\(\\)");
  EXPECT_DEATH(srcu_read_lock_fast(&moved), "srcu: domain moved is read by another kind");
}

TEST_F(MisuseDeathTest, HandlersReadersAndOthersInOneDomain) {
  constexpr const char* kSays =
      "srcu: domain config is read by srcu_read_lock_nmisafe\\(\\) and by srcu_read_lock\\(\\) or srcu_down_read\\(\\): use the first";
  EXPECT_DEATH((srcu_read_lock(&config), srcu_read_lock_nmisafe(&config)), kSays);
  EXPECT_DEATH((srcu_read_lock_nmisafe(&config), srcu_read_lock(&config)), kSays);
  EXPECT_DEATH((srcu_down_read(&config), srcu_read_lock_nmisafe(&config)), kSays);
  EXPECT_DEATH(srcu_read_unlock(&config, srcu_read_lock_nmisafe(&config)), kSays);
}

TEST_F(MisuseDeathTest, UpOfASectionThatIsNotDown) {
  constexpr const char* kSays =
      "srcu: srcu_up_read in domain [a-z]+ with token 0, but no section by srcu_down_read\\(\\) has it: close each by the function "
      "that belongs to the one that opened it, once";
  EXPECT_DEATH(srcu_up_read(&config, srcu_read_lock(&config)), kSays);
  EXPECT_DEATH(
      {
        const int token = srcu_down_read(&config);
        srcu_up_read(&config, token);
        srcu_up_read(&config, token);
      },
      kSays);
  EXPECT_DEATH(
      {
        srcu_ctr* const token = srcu_down_read_fast(&moved);
        srcu_up_read_fast(&moved, token);
        srcu_up_read_fast(&moved, token);
      },
      kSays);
}

// One that is passed for another's closes its own section, as far as anybody can tell: seen once its rank has none left.
TEST_F(MisuseDeathTest, UpByAnotherOpenSectionsTokenIsSeenTheSecondTime) {
  EXPECT_DEATH(
      {
        const int before = srcu_down_read(&config);
        start_poll_synchronize_srcu(&config);
        CHILD_CHECK(test::eventually([] { return test::state_of(usage_of(&config)) == GpState::kScan2; }));
        const int after = srcu_down_read(&config);
        CHILD_CHECK(after == 1 - before);
        srcu_up_read(&config, after);
        fprintf(stderr, "once. ");
        srcu_up_read(&config, after);
      },
      "once. srcu: srcu_up_read in domain config with token 1, but no section by srcu_down_read\\(\\) has it");
}

// A thread that ends in a section leaves it open, and its number to the next one: not what it held.
TEST_F(MisuseDeathTest, UnlockOfWhatTheNumbersLastOwnerOpened) {
  EXPECT_DEATH(
      {
        size_t last_owner = 0;
        std::jthread([&] { srcu_read_lock(&config), last_owner = srcu_slot_offset; }).join();
        std::jthread([&] {
          srcu_read_unlock(&other, srcu_read_lock(&other));
          CHILD_CHECK(srcu_slot_offset == last_owner);
          CHILD_CHECK(!srcu_read_lock_held(&config));
          srcu_read_unlock(&config, 0);
        }).join();
      },
      "srcu: unlock in domain config without a lock by this thread");
}

TEST_F(MisuseDeathTest, ForkInACallback) {
  EXPECT_DEATH(
      {
        rcu_head head;
        call_srcu(&config, &head, [](rcu_head*) { srcu_before_fork(); });
        srcu_barrier(&config);
      },
      "srcu: srcu_before_fork\\(\\) in a callback: it would wait for that callback's end; fork in another thread");
}

TEST_F(MisuseDeathTest, AnotherKindsUnlock) {
  constexpr const char* kSays = "is read by another kind of reader than it was made for";
  EXPECT_DEATH(srcu_read_unlock_fast_updown(&hot, srcu_read_lock_fast(&hot)), kSays);
  EXPECT_DEATH((srcu_read_lock_fast(&hot), srcu_read_unlock(&hot, 0)), kSays);
  EXPECT_DEATH((srcu_read_lock(&config), srcu_read_unlock_fast(&config, nullptr)), kSays);
}

TEST_F(MisuseDeathTest, AHeadThatIsStillQueued) {
  constexpr const char* kSays =
      "srcu: call_srcu\\(config\\) of a head \\(0x[0-9a-f]+\\) that still waits for its callback: post it again from the "
      "callback at the earliest";
  EXPECT_DEATH(
      {
        const int token = srcu_down_read(&config);
        Counted counted;
        counted.post(&config);
        counted.post(&config);
        srcu_up_read(&config, token);
      },
      kSays);
  EXPECT_DEATH(  // in another domain
      {
        srcu_down_read(&other);
        Counted counted;
        counted.post(&other);
        counted.post(&config);
      },
      kSays);
  EXPECT_DEATH(  // staged, as handlers do
      {
        static Counted counted;
        irq_off();
        counted.post(&config);
        counted.post(&config);
        irq_on();
      },
      kSays);
}

TEST_F(MisuseDeathTest, BarrierInACallback) {
  EXPECT_DEATH(
      {
        rcu_head head;
        call_srcu(&config, &head, [](rcu_head*) { srcu_barrier(&config); });
        srcu_barrier(&config);
      },
      "srcu: srcu_barrier\\(config\\) in a callback: it would wait for itself; call it from another thread");
}

TEST_F(MisuseDeathTest, SynchronizeInAnOwnSection) {
  EXPECT_DEATH((srcu_read_lock(&config), synchronize_srcu(&config)),
               "srcu: synchronize_srcu\\(config\\) by a thread that is in a section of that domain: it would wait for itself; "
               "close the section before");
  EXPECT_DEATH((srcu_read_lock(&config), synchronize_srcu_expedited(&config)), "srcu: synchronize_srcu_expedited\\(config\\) by a");
  EXPECT_DEATH((srcu_read_lock_fast(&hot), synchronize_srcu(&hot)), "srcu: synchronize_srcu\\(hot\\) by a thread");
}

// What is allowed, and looks alike.

TEST(Misuse, HeadsMayBePostedAgainAndAgain) {
  constexpr size_t kMany = 20'000;  // the table of heads grows and shrinks
  Domain domain;
  std::vector<Counted> counted(kMany);
  for (unsigned round = 1; round <= 3; ++round) {
    for (Counted& each : counted) each.post(domain);
    srcu_barrier(domain);
    for (const Counted& each : counted) ASSERT_EQ(each.times(), round);
  }
}

TEST(Misuse, SynchronizeInsideAnotherDomainsSection) {
  Domain outer, inner;
  const int token = srcu_read_lock(outer);
  synchronize_srcu(inner);
  srcu_read_unlock(outer, token);
  synchronize_srcu(outer);
}

TEST(Misuse, ADomainMadeAgainInTheSameMemory) {
  srcu_struct ssp;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(init_srcu_struct(&ssp), 0);
    cleanup_srcu_struct(&ssp);
  }
}

// A section of a thread without a number, and one of its next, when it has one.
TEST(Misuse, ANumberThatMightComeInTheMidstOfASection) {
  EXPECT_EQ(test::in_child([] {
              synchronize_srcu(&config);
              const size_t own = srcu_slot_offset;
              for (uint32_t i = 0; i < kMaxThreads; ++i) srcu_slot_offset = 0, take_thread_number();
              srcu_slot_offset = own;
              std::jthread([] {
                const int token = srcu_read_lock(&config);
                CHILD_CHECK(srcu_slot_offset == 0);
                std::jthread([] {
                  srcu_read_unlock(&config, srcu_read_lock(&config));
                  srcu_slot_offset = 77 * sizeof(srcu_slot);  // given back at its exit
                }).join();
                srcu_read_unlock(&config, srcu_read_lock(&config));
                CHILD_CHECK(srcu_slot_offset == 0);
                srcu_read_unlock(&config, token);
                srcu_read_unlock(&config, srcu_read_lock(&config));
                CHILD_CHECK(srcu_slot_offset == 77 * sizeof(srcu_slot));
              }).join();
              CHILD_CHECK(srcu_open_sections(&config) == 0);
              return 0;
            }),
            0);
}

TEST_F(MisuseDeathTest, WaitingInADeferredFunction) {
  static bpf_defer_node node;
  EXPECT_DEATH(
      {
        srcu_start_helper();
        bpf_defer(&node, [](srcu_struct* ssp, rcu_head*, rcu_callback_t) { srcu_barrier(ssp); }, &config, nullptr, nullptr);
        bpf_defer_flush();
      },
      "srcu: srcu_barrier\\(config\\) in a callback: it would wait for itself; call it from another thread");
  EXPECT_DEATH(
      {
        srcu_start_helper();
        bpf_defer(&node, [](srcu_struct* ssp, rcu_head*, rcu_callback_t) { cleanup_srcu_struct(ssp); }, &config, nullptr,
                  nullptr);
        bpf_defer_flush();
      },
      "srcu: cleanup_srcu_struct\\(config\\) in a callback");
  EXPECT_DEATH(
      {
        srcu_start_helper();
        bpf_defer(&node, [](srcu_struct*, rcu_head*, rcu_callback_t) { bpf_defer_flush(); }, nullptr, nullptr, nullptr);
        bpf_defer_flush();
      },
      "srcu: bpf_defer_flush\\(\\) in a function that was deferred: it would wait for itself");
}

}  // namespace
}  // namespace srcu
