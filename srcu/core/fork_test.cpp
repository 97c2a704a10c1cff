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

/// All that a domain is for; the process has one thread, and no section is open.
int use(srcu_struct* ssp) {
  CHILD_CHECK(srcu_open_sections(ssp) == 0);
  synchronize_srcu(ssp);
  synchronize_srcu_expedited(ssp);
  Counted counted;
  counted.post(ssp);
  srcu_barrier(ssp);
  CHILD_CHECK(counted.times() == 1);
  const unsigned long cookie = start_poll_synchronize_srcu(ssp);
  CHILD_CHECK(eventually([&] { return poll_state_synchronize_srcu(ssp, cookie); }));
  cleanup_srcu_struct(ssp);
  CHILD_CHECK(ssp->srcu_sup == nullptr);
  return 0;
}

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

TEST(ForkHandlers, HoldSignalsOffAndGiveTheMaskBack) {
  Domain domain;
  sigset_t before, between, after, usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, &before);
  srcu_before_fork();
  pthread_sigmask(SIG_SETMASK, nullptr, &between);
  srcu_after_fork_parent();
  pthread_sigmask(SIG_SETMASK, &before, &after);
  EXPECT_EQ(sigismember(&between, SIGTERM), 1);
  EXPECT_EQ(sigismember(&after, SIGTERM), 0);
  EXPECT_EQ(sigismember(&after, SIGUSR1), 1);
}

// Whether the kernel says that the thread sleeps, rather than runs or wants to.
bool sleeps(pid_t thread) {
  std::string line;
  std::getline(std::ifstream("/proc/self/task/" + std::to_string(thread) + "/stat"), line);
  const size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.compare(name_end, 3, ") S") == 0;
}

// A large process takes long to copy: who comes meanwhile with a new domain sleeps.
TEST(ForkHandlers, ADomainsFirstUseMeanwhileSleeps) {
  DEFINE_STATIC_SRCU(late);
  std::atomic<pid_t> thread{0};
  srcu_before_fork();
  std::thread user([&] {
    thread = static_cast<pid_t>(syscall(SYS_gettid));
    synchronize_srcu(&late);
  });
  EXPECT_TRUE(eventually([&] { return thread != 0; }));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(eventually([&] { return sleeps(thread); }, std::chrono::seconds(5)));
  srcu_after_fork_parent();
  user.join();
  cleanup_srcu_struct(&late);
}

TEST(ForkHandlers, WaitForTheCallbackThatRuns) {
  static Flag inside;
  static std::atomic<bool> finished;
  Domain domain;
  rcu_head head;
  call_srcu(domain, &head, [](rcu_head*) {
    inside.set();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    finished = true;
  });
  ASSERT_TRUE(inside.wait());
  EXPECT_EQ(in_child([&] {
              CHILD_CHECK(finished);
              srcu_barrier(domain);
              return use(domain);
            }),
            0);
  srcu_barrier(domain);
}

TEST(ForkHandlers, TheChildHasTheNumbersOfVanishedThreads) {
  NEEDS_VANISHED_THREADS();
  Domain domain;
  srcu_read_unlock(domain, srcu_read_lock(domain));
  Flag go;
  std::vector<std::jthread> threads;
  std::atomic<unsigned> have{0};
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&] {
      srcu_read_unlock(domain, srcu_read_lock(domain));
      ++have;
      EXPECT_TRUE(go.wait());
    });
  }
  ASSERT_TRUE(eventually([&] { return have == 10; }));
  EXPECT_EQ(in_child([&] {
              const size_t own = srcu_slot_offset;
              std::jthread([&] {
                srcu_read_unlock(domain, srcu_read_lock(domain));
                CHILD_CHECK(srcu_slot_offset != own && srcu_slot_offset <= 2 * sizeof(srcu_slot));
              }).join();
              return use(domain);
            }),
            0);
  go.set();
}

TEST(ForkHandlers, WhatIsStagedUnderAnyStrategyRunsInBoth) {
  for (const Strategy* const* strategy = all_strategies; *strategy; ++strategy) {
    Domain domain;
    ASSERT_EQ(srcu_set_strategy(domain, (*strategy)->name), 0);
    std::array<Counted, 2> counted;
    irq_off();
    for (Counted& each : counted) call_srcu_nolock(domain, &each.head, Counted::on_grace_period);
    EXPECT_EQ(in_child([&] {
                irq_on();
                CHILD_CHECK(eventually([&] { return counted[0].times() == 1 && counted[1].times() == 1; }));
                return use(domain);
              }),
              0)
        << (*strategy)->name;
    irq_on();
    srcu_barrier(domain);
    for (const Counted& each : counted) EXPECT_EQ(each.times(), 1u) << (*strategy)->name;
  }
}

// While another thread waits for it: in the child nobody does.
TEST(ForkHandlers, WhatIsDeferredIsCalledInBoth) {
  NEEDS_VANISHED_THREADS();
  Domain domain;
  static std::atomic<unsigned> calls{0};
  bpf_defer_node node;
  irq_off();
  bpf_defer(&node, [](srcu_struct*, rcu_head*, rcu_callback_t) { ++calls; }, nullptr, nullptr, nullptr);
  Flag about_to;
  std::jthread waiter([&] {
    about_to.set();
    bpf_defer_flush();
    EXPECT_EQ(calls, 1u);
  });
  ASSERT_TRUE(about_to.wait());
  EXPECT_EQ(in_child([&] {
              irq_on();
              bpf_defer_flush();
              CHILD_CHECK(calls == 1);
              return use(domain);
            }),
            0);
  irq_on();
}

}  // namespace
}  // namespace srcu
