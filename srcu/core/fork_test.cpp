// fork() between srcu_before_fork() and its two ends: what waits goes on in both processes, what vanished threads left is
// tidied up in the child.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/tests/reader_kinds.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;
using test::eventually;
using test::Flag;
using test::in_child;
using test::use;

class Fork : public test::EachReader {};

INSTANTIATE_TEST_SUITE_P(, Fork, testing::ValuesIn(test::kReaderKinds), test::name_of);

TEST_P(Fork, TheChildUsesTheDomain) {
  unlock(lock());
  synchronize_srcu(domain);
  EXPECT_EQ(in_child([&] {
              unlock(lock());
              return use(domain);
            }),
            0);
  unlock(lock());
  synchronize_srcu(domain);
}

TEST_P(Fork, ADomainNobodyUsedYet) {
  EXPECT_EQ(in_child([&] { return use(domain); }), 0);
}

TEST_P(Fork, AnotherThreadsSectionHoldsUpTheParentAlone) {
  NEEDS_VANISHED_THREADS();
  Flag open, go;
  std::jthread reader([&] {
    const test::Token token = lock();
    open.set();
    EXPECT_TRUE(go.wait());
    unlock(token);
  });
  ASSERT_TRUE(open.wait());
  const unsigned long cookie = start_poll_synchronize_srcu(domain);
  EXPECT_EQ(in_child([&] { return use(domain); }), 0);
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, cookie));
  go.set();
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
}

TEST_P(Fork, TheForkingThreadsOwnSectionHoldsUpBoth) {
  const test::Token token = lock();
  EXPECT_EQ(in_child([&] {
              CHILD_CHECK(srcu_open_sections(domain) == 1);
              const unsigned long cookie = start_poll_synchronize_srcu(domain);
              CHILD_CHECK(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
              CHILD_CHECK(!poll_state_synchronize_srcu(domain, cookie));
              unlock(token);
              return use(domain);
            }),
            0);
  const unsigned long cookie = start_poll_synchronize_srcu(domain);
  EXPECT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, cookie));
  unlock(token);
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
}

TEST_P(Fork, ItsOwnAndAnothersAreToldApart) {
  NEEDS_VANISHED_THREADS();
  Flag open, go;
  std::jthread reader([&] {
    const test::Token token = lock();
    open.set();
    EXPECT_TRUE(go.wait());
    unlock(token);
  });
  ASSERT_TRUE(open.wait());
  const test::Token token = lock();
  EXPECT_EQ(in_child([&] {
              CHILD_CHECK(srcu_open_sections(domain) == 1);
              unlock(token);
              return use(domain);
            }),
            0);
  unlock(token);
  go.set();
}

// Sections that were opened by one thread and closed by another leave both threads' counts uneven.
TEST(ForkAndUpdown, AClosedPairThatAnotherThreadOpenedTakesNoSectionAway) {
  Domain domain;
  srcu_read_unlock(domain, srcu_read_lock(domain));  // takes a number of its own
  int passed = -1;
  std::jthread([&] { passed = srcu_down_read(domain); }).join();
  srcu_up_read(domain, passed);
  const int token = srcu_read_lock(domain);
  const auto inside = [&] {
    CHILD_CHECK(srcu_open_sections(domain) == 1);
    const unsigned long cookie = start_poll_synchronize_srcu(domain);
    CHILD_CHECK(eventually([&] { return test::state_of(domain.usage()) == GpState::kScan2; }));
    CHILD_CHECK(!poll_state_synchronize_srcu(domain, cookie));
    srcu_read_unlock(domain, token);
    return use(domain);
  };
  EXPECT_EQ(in_child(inside), 0);
  EXPECT_EQ(in_child([&] {
              CHILD_CHECK(in_child(inside) == 0);
              return inside();
            }),
            0);
  srcu_read_unlock(domain, token);
}

TEST(ForkAndUpdown, AClosedPairThatAnotherThreadClosedKeepsNoSectionOpen) {
  NEEDS_VANISHED_THREADS();
  Domain domain;
  int passed = srcu_down_read(domain);
  std::jthread([&] { srcu_up_read(domain, passed); }).join();
  Flag open, go;
  std::jthread reader([&] {
    const int token = srcu_read_lock(domain);
    open.set();
    EXPECT_TRUE(go.wait());
    srcu_read_unlock(domain, token);
  });
  ASSERT_TRUE(open.wait());
  EXPECT_EQ(in_child([&] { return use(domain); }), 0);
  go.set();
}

// All numbers are taken: threads share the common slot.
TEST(ForkAndTheCommonSlot, TheForkersOwnStaysOpenAndOthersDoNot) {
  NEEDS_VANISHED_THREADS();
  EXPECT_EQ(in_child([] {
              Domain domain, other;
              for (srcu_struct* ssp : {static_cast<srcu_struct*>(domain), static_cast<srcu_struct*>(other)}) synchronize_srcu(ssp);
              for (uint32_t i = 0; i < kMaxThreads; ++i) srcu_slot_offset = 0, take_thread_number();
              Flag open, go;
              std::jthread reader([&] {
                const int token = srcu_read_lock(domain);
                CHILD_CHECK(srcu_slot_offset == 0);
                open.set();
                CHILD_CHECK(go.wait());
                srcu_read_unlock(domain, token);
              });
              CHILD_CHECK(open.wait());
              std::jthread([&] {
                CHILD_CHECK(in_child([&] { return use(domain); }) == 0);
                const int token = srcu_read_lock(other);
                CHILD_CHECK(srcu_slot_offset == 0);
                CHILD_CHECK(in_child([&] {
                              CHILD_CHECK(srcu_open_sections(other) == 1);
                              srcu_read_unlock(other, token);
                              return use(other);
                            }) == 0);
                srcu_read_unlock(other, token);
              }).join();
              go.set();
              reader.join();
              return 0;
            }),
            0);
}

TEST_P(Fork, AForkOfAFork) {
  unlock(lock());
  EXPECT_EQ(in_child([&] {
              unlock(lock());
              CHILD_CHECK(in_child([&] { return use(domain); }) == 0);
              return use(domain);
            }),
            0);
}

TEST_P(Fork, WaitingCallbacksRunInBoth) {
  const test::Token token = lock();
  std::array<Counted, 10> counted;
  for (Counted& each : counted) each.post(domain);
  const auto finish = [&] {
    unlock(token);
    srcu_barrier(domain);
    unsigned invoked = 0;
    for (Counted& each : counted) invoked += each.times() == 1;
    return invoked;
  };
  EXPECT_EQ(in_child([&] {
              CHILD_CHECK(finish() == counted.size());
              return use(domain);
            }),
            0);
  EXPECT_EQ(finish(), counted.size());
}

// The grace period is driven by a thread that the child does not have, so that no helper has anything to do there.
TEST_P(Fork, TheChildDrivesWhatAVanishedThreadDrove) {
  NEEDS_VANISHED_THREADS();
  Flag open, go;
  std::jthread reader([&] {
    const test::Token token = lock();
    open.set();
    EXPECT_TRUE(go.wait());
    unlock(token);
  });
  ASSERT_TRUE(open.wait());
  std::jthread driver([&] { synchronize_srcu(domain); });
  ASSERT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
  Counted counted;
  counted.post(domain);
  EXPECT_EQ(in_child([&] {
              srcu_barrier(domain);
              CHILD_CHECK(counted.times() == 1);
              return use(domain);
            }),
            0);
  EXPECT_EQ(counted.times(), 0u);
  go.set();
  srcu_barrier(domain);
  EXPECT_EQ(counted.times(), 1u);
}

// As a post stands between filing its callback and asking for its grace period.
TEST_P(Fork, TheChildAsksForWhatAVanishedThreadWouldHave) {
  ASSERT_EQ(srcu_start_helper(), 0);
  Counted counted;
  counted.head.func = Counted::on_grace_period;
  uint64_t seq = 0;
  {
    const IrqLocked locked(usage.data.lock);
    usage.data.callbacks.enqueue(&counted.head);
    seq = snapshot(usage);
    EXPECT_TRUE(usage.data.callbacks.accelerate(seq));
    usage.data.gp_seq_needed = seq;
    usage.data.waiting = 1;
  }
  EXPECT_EQ(in_child([&] {
              srcu_barrier(domain);
              CHILD_CHECK(counted.times() == 1);
              return use(domain);
            }),
            0);
  request(usage, seq, false, true);
  srcu_barrier(domain);
  EXPECT_EQ(counted.times(), 1u);
}

TEST_P(Fork, StagedPostsRunInBoth) {
  NEEDS_VANISHED_THREADS();
  Counted counted;
  Flag staged, go;
  std::jthread poster([&] {
    irq_off();
    counted.post(domain);
    staged.set();
    EXPECT_TRUE(go.wait());
    irq_on();
  });
  ASSERT_TRUE(staged.wait());
  ASSERT_EQ(srcu_start_helper(), 0);
  EXPECT_EQ(in_child([&] {
              srcu_barrier(domain);
              CHILD_CHECK(counted.times() == 1);
              return use(domain);
            }),
            0);
  go.set();
  poster.join();
  srcu_barrier(domain);
  EXPECT_EQ(counted.times(), 1u);
}

}  // namespace
}  // namespace srcu
