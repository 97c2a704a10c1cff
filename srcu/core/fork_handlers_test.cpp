// The three functions around fork() themselves: whom they wait for, what they hold, what the child has of the rest.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
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
using test::in_child;
using test::use;

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

// By who may hold what fork() waits for: nothing waits for the fork, and all is done after it, with nobody's help.
TEST(ForkHandlers, WhatIsPostedOrAskedForMeanwhileIsDoneInBoth) {
  ASSERT_EQ(srcu_start_helper(), 0);
  for (const Strategy* const* strategy = all_strategies; *strategy; ++strategy) {
    Domain domain, other;
    ASSERT_EQ(srcu_set_strategy(domain, (*strategy)->name), 0);
    DEFINE_STATIC_SRCU(late);
    late = SRCU_STRUCT_INIT(late, SRCU_KIND_NORMAL);
    std::array<Counted, 3> counted;
    unsigned long cookie = 0;
    std::atomic<bool> through{false};
    const auto all_done = [&] {
      return counted[0].times() == 1 && counted[1].times() == 1 && counted[2].times() == 1 &&
             poll_state_synchronize_srcu(other, cookie);
    };
    srcu_before_fork();
    std::thread user([&] {
      counted[0].post(domain);
      call_srcu_nolock(domain, &counted[1].head, Counted::on_grace_period);
      cookie = start_poll_synchronize_srcu(other);
      srcu_expedite_current(other);
      srcu_read_unlock(&late, srcu_read_lock(&late));
      counted[2].post(&late);
      srcu_struct made;
      EXPECT_EQ(init_srcu_struct(&made), 0);
      through = true;
      cleanup_srcu_struct(&made);  // sleeps meanwhile
    });
    EXPECT_TRUE(eventually([&] { return through.load(); }, std::chrono::seconds(5))) << (*strategy)->name << ": somebody waits";
    const pid_t child = fork();
    if (child == 0) {
      srcu_after_fork_child();
      alarm(20);
      CHILD_CHECK(eventually(all_done));
      for (srcu_struct* ssp : {static_cast<srcu_struct*>(domain), static_cast<srcu_struct*>(other), &late}) use(ssp);
      _exit(0);
    }
    srcu_after_fork_parent();
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << (*strategy)->name;
    EXPECT_TRUE(eventually(all_done)) << (*strategy)->name;
    user.join();
    srcu_barrier(&late);
    cleanup_srcu_struct(&late);
  }
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
