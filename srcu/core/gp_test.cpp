#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/tests/manual_host.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::eventually;
using test::Flag;

class GracePeriod : public test::OnManualHost {};

TEST_F(GracePeriod, NobodyAskedNobodyWorks) {
  turn();
  EXPECT_EQ(seq(), kSeqFirst);
  EXPECT_FALSE(next_turn());
  EXPECT_EQ(usage.driver, 0u);
}

TEST_F(GracePeriod, WithoutReadersEndsInOneTurnAndDoesNotFlip) {
  const uint32_t rank = current();
  const uint64_t cookie = ask();
  EXPECT_FALSE(done(usage, cookie));
  turn();
  EXPECT_TRUE(done(usage, cookie));
  EXPECT_EQ(seq(), kSeqFirst + kSeqGp);
  EXPECT_EQ(current(), rank);
  EXPECT_FALSE(next_turn()) << "nobody asked for another";
}

TEST_F(GracePeriod, AskedForTwiceIsOneGracePeriod) {
  EXPECT_EQ(ask(), ask());
  turn();
  turn();
  EXPECT_EQ(seq(), kSeqFirst + kSeqGp);
}

TEST_F(GracePeriod, AReaderInTheCurrentRankIsWaitedForAfterAFlip) {
  const uint32_t rank = current();
  open(rank);
  const uint64_t cookie = ask();
  turn();
  EXPECT_EQ(state(), GpState::kScan2);
  EXPECT_EQ(current(), 1 - rank);
  EXPECT_GT(next_turn().value_or(0), 0u) << "it must look again, but not at once";
  turn();
  EXPECT_FALSE(done(usage, cookie));
  close(rank);
  turn();
  EXPECT_TRUE(done(usage, cookie));
  EXPECT_EQ(state(), GpState::kIdle);
}

TEST_F(GracePeriod, NewReadersDoNotHoldItUp) {
  const uint32_t rank = current();
  open(rank);
  const uint64_t cookie = ask();
  turn();
  open(1 - rank);
  close(rank);
  turn();
  EXPECT_TRUE(done(usage, cookie));
  close(1 - rank);
}

TEST_F(GracePeriod, AStragglerInTheOldRankHoldsUpTheFlip) {
  const uint32_t rank = current();
  open(1 - rank);
  const uint64_t cookie = ask();
  turn();
  EXPECT_EQ(state(), GpState::kScan1);
  EXPECT_EQ(current(), rank) << "a flip would send new readers where it has to wait";
  EXPECT_FALSE(done(usage, cookie));
  close(1 - rank);
  turn();
  EXPECT_TRUE(done(usage, cookie));
}

TEST_F(GracePeriod, ReadersInBothRanksAreWaitedForInEitherOrder) {
  for (const bool old_first : {true, false}) {
    const uint32_t rank = current();
    open(rank);
    open(1 - rank);
    const uint64_t cookie = ask();
    turn();
    EXPECT_EQ(state(), GpState::kScan1);
    close(old_first ? 1 - rank : rank);
    turn();
    EXPECT_EQ(state(), old_first ? GpState::kScan2 : GpState::kScan1);
    EXPECT_FALSE(done(usage, cookie));
    close(old_first ? rank : 1 - rank);
    turn();
    EXPECT_TRUE(done(usage, cookie));
  }
}

// It read the rank before a flip, and counts after that rank was seen drained: it is new, since it began after A.
TEST_F(GracePeriod, ARankIsDrainedOnceAndForAll) {
  const uint32_t rank = current();
  open(rank);
  const uint64_t cookie = ask();
  turn();  // drains 1 - rank, flips
  ASSERT_EQ(state(), GpState::kScan2);
  open(1 - rank);
  close(rank);
  turn();
  EXPECT_TRUE(done(usage, cookie));
  const uint64_t next = ask();
  turn();
  EXPECT_FALSE(done(usage, next)) << "for the next grace period it is old";
  close(1 - rank);
  turn();
  EXPECT_TRUE(done(usage, next));
}

TEST_F(GracePeriod, AskedForUnderWayIsTheOneAfter) {
  const uint32_t rank = current();
  open(rank);
  const uint64_t first = ask();
  turn();
  const uint64_t second = ask();
  EXPECT_EQ(second, first + kSeqGp);
  open(current());  // old for the second
  close(rank);
  turn();
  EXPECT_TRUE(done(usage, first));
  ASSERT_TRUE(next_turn()) << "the second was forgotten";
  turn();
  EXPECT_FALSE(done(usage, second));
  close(1 - rank);
  turn();
  EXPECT_TRUE(done(usage, second));
}

TEST_F(GracePeriod, RestsBetweenTwoUnlessHurriedAndLessWhenMuchIsPosted) {
  const auto turn_after_the_first_of_two = [&](bool hurry) {
    const uint32_t rank = current();
    open(rank);
    ask();
    turn();
    ask(hurry);
    test::ManualHost::take(usage.gp_work);
    close(rank);
    turn();
    return next_turn();
  };
  EXPECT_EQ(turn_after_the_first_of_two(false), 1'000'000u);
  test::ManualHost::run(usage.gp_work);
  EXPECT_EQ(turn_after_the_first_of_two(true), std::nullopt) << "hurried: both in one turn";
  usage.data.waiting = 10'001;
  EXPECT_EQ(turn_after_the_first_of_two(false), 100'000u) << "much is posted";
  test::ManualHost::run(usage.gp_work);
  usage.data.waiting = 0;
  test::ManualHost::take(usage.data.invoke_work);
}

TEST_F(GracePeriod, LooksMoreAndMoreSeldomAndMoreOftenInAHurry) {
  for (const bool hurry : {false, true}) {
    const uint64_t longest = hurry ? 100'000 : 1'000'000;
    const uint32_t rank = current();
    open(rank);
    ask(hurry);
    turn();
    uint64_t before = 0;
    for (int i = 0; i < 60; ++i) {
      turn();
      ASSERT_TRUE(next_turn());
      EXPECT_GE(*next_turn(), before);
      EXPECT_LE(*next_turn(), longest);
      EXPECT_GT(*next_turn(), 0u);
      before = *next_turn();
      test::ManualHost::take(usage.gp_work);
    }
    EXPECT_EQ(before, longest);
    close(rank);
    turn();
  }
}

TEST_F(GracePeriod, OnceHurriedItIsHurriedUntilItEnds) {
  const uint32_t rank = current();
  open(rank);
  ask();
  for (int i = 0; i < 60; ++i) turn();
  test::ManualHost::take(usage.gp_work);
  turn();
  EXPECT_EQ(next_turn(), 1'000'000u);
  request(usage, seq_end(seq()), true, true);
  EXPECT_EQ(next_turn(), 0u) << "the helper sleeps the long pause out";
  test::ManualHost::take(usage.gp_work);
  turn();
  EXPECT_EQ(next_turn(), 100'000u);
  close(rank);
  turn();
}

TEST_F(GracePeriod, AskingAnIdleDomainKicksIt) {
  request(usage, snapshot(usage), false, true);
  EXPECT_EQ(next_turn(), 0u);
  EXPECT_TRUE(test::ManualHost::run(usage.gp_work));
  EXPECT_EQ(seq(), kSeqFirst + kSeqGp);
}

TEST_F(GracePeriod, AskingUnderWayDoesNotUnlessHurried) {
  const uint32_t rank = current();
  open(rank);
  ask();
  turn();
  test::ManualHost::take(usage.gp_work);
  request(usage, snapshot(usage), false, true);
  EXPECT_FALSE(next_turn()) << "whoever drives sees it";
  request(usage, snapshot(usage), true, true);
  EXPECT_EQ(next_turn(), 0u);
  close(rank);
  turn();
}

TEST_F(GracePeriod, WhoFindsADriverLeavesAWish) {
  usage.driver = kDriven;
  ask();
  turn();
  EXPECT_EQ(seq(), kSeqFirst) << "two drove";
  EXPECT_EQ(usage.driver, kDriven | kAsked);
  usage.driver = 0;
  turn();
  EXPECT_EQ(usage.driver, 0u);
}

// A driver that goes on to a second grace period, which a section holds up that is opened just as the first ends: by the
// host, when it is asked to run callbacks. No locked instruction stands there, so that a look in place of the exchange at the
// end may be made before others see that it ended.
struct OpensASectionAtTheEnd {
  static inline std::atomic<Usage*> armed{nullptr};
  static inline std::atomic<uint32_t> rank{0};
  static const Host host;

  static void queue(Work& work, uint64_t) {
    Usage* const usage = armed.load(std::memory_order_relaxed);  // relaxed: set before the role of the driver is taken
    if (!usage || &work != &usage->data.invoke_work) return;
    rank.store(usage->rank, std::memory_order_relaxed);  // relaxed: the release below
    srcu_count(&usage->slots[srcu_slot_offset / sizeof(srcu_slot)].rank[rank.load(std::memory_order_relaxed)].lock);
    armed.store(nullptr, std::memory_order_release);
  }
};

const Host OpensASectionAtTheEnd::host = {
    "opens a section", queue, [](Work&) {}, irq_work_queue, irq_work_sync, [] { return false; }, [] { return true; },
    [] {}, [] {}, [] {}, [](bool) { return true; },
};

// Waits for the first of two grace periods that another thread drives. Sleeping on until the second ends is what the exchange
// prevents; here the second does not end before.
TEST_F(GracePeriod, AWishThatComesAsOneEndsDoesNotWaitForTheNext) {
  using Hook = OpensASectionAtTheEnd;
  usage.host = &Hook::host;
  usage.data.waiting = 1;
  std::atomic<unsigned> begun{0}, waited{0};
  std::atomic<bool> stop{false}, over{false};
  std::atomic<uint64_t> first{0};
  const auto close_it = [&] {
    while (Hook::armed.load(std::memory_order_acquire)) env::cpu_relax();  // the end is seen before the host is asked
    close_section(usage, Hook::rank);
  };
  std::jthread waiter([&] {
    take_thread_number();
    for (unsigned round = 1;; ++round) {
      while (begun < round && !over) env::cpu_relax();
      if (begun < round) return;
      for (volatile unsigned late = 0; late < round % 256;) late = late + 1;
      wait_for(usage, first);
      if (waited.exchange(round) < round) close_it();
    }
  });
  std::jthread driver([&] {
    take_thread_number();
    for (unsigned round = 1; !stop; ++round) {
      first = ask();
      request(usage, first + kSeqGp, false, false);
      Hook::armed.store(&usage, std::memory_order_relaxed);  // relaxed: this thread drives, or who does sees `begun`
      begun = round;
      wait_for(usage, first + kSeqGp);
      while (waited < round) env::cpu_relax();
    }
    over = true;
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  unsigned last = 0;
  while (std::chrono::steady_clock::now() < end && !HasFailure()) {
    EXPECT_TRUE(eventually([&] { return waited > last; }, std::chrono::seconds(5)))
        << "round " << begun << ": it sleeps on after its grace period " << (done(usage, first) ? "ended" : "did not end");
    last = waited;
  }
  stop = true;
  if (HasFailure() && waited.exchange(begun) < begun) close_it();  // the driver leaves, and wakes it
  driver.join();
  waiter.join();
  usage.data.waiting = 0;
}

TEST_F(GracePeriod, AWaiterDrivesItself) {
  wait_for(usage, ask());
  EXPECT_EQ(seq(), kSeqFirst + kSeqGp);
  EXPECT_EQ(usage.driver, 0u);
}

TEST_F(GracePeriod, ADriverThatWaitsLeavesWhatOthersAskedFor) {
  const uint32_t rank = current();
  open(rank);
  Flag returned;
  std::jthread waiter([&] {
    wait_for(usage, ask());
    returned.set();
  });
  ASSERT_TRUE(eventually([&] { return state() == GpState::kScan2; }));
  const uint64_t second = ask();
  close(rank);
  ASSERT_TRUE(returned.wait());
  EXPECT_FALSE(done(usage, second));
  EXPECT_TRUE(next_turn()) << "nobody will drive the second";
}

// Here no helper ever runs: a waiter must be woken by the one that drove before, and drive itself.
TEST_F(GracePeriod, ADriverHandsOverToAWaiter) {
  const uint32_t rank = current();
  open(rank);
  Flag first, second;
  std::jthread a([&] {
    synchronize_srcu(domain);
    first.set();
  });
  ASSERT_TRUE(eventually([&] { return state() == GpState::kScan2; }));
  open(1 - rank);
  std::jthread b([&] {
    synchronize_srcu(domain);
    second.set();
  });
  EXPECT_TRUE(eventually([&] { return (usage.driver & kAsked) != 0; }));
  close(rank);
  EXPECT_TRUE(first.wait());
  EXPECT_TRUE(eventually([&] { return seq() - kSeqFirst > kSeqGp; })) << "nobody drives the second";
  EXPECT_FALSE(second.is_set());
  close(1 - rank);
  EXPECT_TRUE(second.wait());
}

TEST_F(GracePeriod, TheEndWakesAllWhoWaitForIt) {
  const uint32_t rank = current();
  open(rank);
  std::atomic<unsigned> returned{0};
  const uint64_t cookie = ask();
  {
    std::vector<std::jthread> waiters;
    for (int i = 0; i < 4; ++i) {
      waiters.emplace_back([&] {
        wait_for(usage, cookie);
        ++returned;
      });
    }
    EXPECT_TRUE(eventually([&] { return (usage.driver & kAsked) != 0; }));
    EXPECT_EQ(returned, 0u);
    close(rank);
    EXPECT_TRUE(eventually([&] { return returned == 4; }));
  }
  EXPECT_EQ(seq(), kSeqFirst + kSeqGp) << "one for all";
}

TEST_F(GracePeriod, SumsAreOfAllThreads) {
  EXPECT_EQ(open_sections(usage, 0) + open_sections(usage, 1), 0);
  const int mine = srcu_read_lock(domain);
  int others = -1;
  std::jthread([&] { others = srcu_down_read(domain); }).join();
  EXPECT_EQ(srcu_open_sections(domain), 2);
  srcu_up_read(domain, others);
  srcu_read_unlock(domain, mine);
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

TEST_F(GracePeriod, ASectionOfAThreadThatExitedIsWaitedFor) {
  int token = -1;
  std::jthread([&] { token = srcu_down_read(domain); }).join();
  const uint64_t cookie = ask();
  turn();
  EXPECT_FALSE(done(usage, cookie));
  srcu_up_read(domain, token);  // in another slot: the sums are what counts
  turn();
  EXPECT_TRUE(done(usage, cookie));
}

}  // namespace
}  // namespace srcu
