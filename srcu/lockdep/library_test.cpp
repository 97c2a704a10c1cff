// The library before its own prover: right use is not reported, and wrong use is before it hangs.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <thread>

#include "srcu/core/usage.hpp"
#include "srcu/lockdep/story.hpp"
#include "srcu/srcu.h"

namespace srcu::test {
namespace {

rcu_head* fresh_head() { return new rcu_head; }
void free_head(rcu_head* head) { delete head; }

/// The file where `to` was taken under `from`; empty if it was not.
std::string where_taken(const std::string& from, const std::string& to) {
  struct Wanted {
    const std::string &from, &to;
    std::string file;
  } wanted = {from, to, ""};
  srcu_lockdep_for_each_edge(
      [](const srcu_lockdep_link* link, void* argument) {
        auto& w = *static_cast<Wanted*>(argument);
        if (link->from.lock_class->name == w.from && link->to.lock_class->name == w.to)
          w.file = std::filesystem::path(link->to.file).filename();
      },
      &wanted);
  return wanted.file;
}

// A mutex that shows itself to the prover.
struct Mutex {
  srcu_lockdep_class& lock_class;
  std::mutex mutex;
  void lock() {
    srcu_lockdep_acquire(this, &lock_class, SRCU_LOCKDEP_WRITE);
    mutex.lock();
  }
  void unlock() {
    mutex.unlock();
    srcu_lockdep_release(this);
  }
};

class Library : public testing::Test {
 protected:
  Library() { EXPECT_EQ(init_srcu_struct(&domain), 0); }
  ~Library() override {
    srcu_barrier(&domain);
    cleanup_srcu_struct(&domain);
  }
  void read_and_update() {
    const int idx = srcu_read_lock(&domain);
    const int inner = srcu_read_lock(&domain);
    call_srcu(&domain, fresh_head(), free_head);
    srcu_read_unlock(&domain, inner);
    srcu_read_unlock(&domain, idx);
    synchronize_srcu(&domain);
    synchronize_srcu_expedited(&domain);
    srcu_barrier(&domain);
    while (!poll_state_synchronize_srcu(&domain, start_poll_synchronize_srcu(&domain)))
      synchronize_srcu(&domain);
  }

  Proving proving;
  srcu_struct domain;
};

TEST_F(Library, InRightUseIsNotReported) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([this] {
        for (int round = 0; round < 200; ++round) {
          const int idx = srcu_down_read(&domain);
          call_srcu(&domain, fresh_head(), free_head);
          srcu_up_read(&domain, idx);
        }
      });
  }
  {
    const int idx = srcu_read_lock(&domain);
    const std::unique_ptr<srcu_struct> other(new srcu_struct);
    ASSERT_EQ(init_srcu_struct_fast(other.get()), 0);
    synchronize_srcu(other.get());
    cleanup_srcu_struct(other.get());
    srcu_read_unlock(&domain, idx);
  }
  srcu_barrier(&domain);
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
  EXPECT_EQ(srcu_lockdep_get_stats().unmatched, 0U);
}

TEST_F(Library, ShowsItsLocksAndTheirOrder) {
  ASSERT_EQ(srcu_set_strategy(&domain, "direct"), 0);  // the default one queues its work later
  Mutex one{class_named('P'), {}};
  for (int round = 0; round < 20; ++round) {
    const std::scoped_lock held(one);
    call_srcu(&domain, fresh_head(), free_head);
    srcu_barrier(&domain);
  }
  EXPECT_EQ(where_taken("P", "srcu_data.lock"), "callbacks.cpp");
  EXPECT_EQ(where_taken("srcu_usage.lock", "srcu_host.lock"), "native.cpp");
  EXPECT_FALSE(srcu_lockdep_usage_of(&own_lock_classes[static_cast<int>(LockClass::kUsage)], 0) &
               SRCU_LOCKDEP_HARDIRQS_ON);
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
}

// The order of locks is what the strategies are about.
TEST_F(Library, QueuesWorkUnderALockByStrategy) {
  const auto held_around_the_host = [this](const char* strategy, bool with_irqs_off = false) {
    srcu_lockdep_reset();
    srcu_struct one;
    EXPECT_EQ(init_srcu_struct(&one), 0);
    EXPECT_EQ(srcu_set_strategy(&one, strategy), 0);
    if (with_irqs_off) irq_off();
    for (int i = 0; i < 20; ++i) call_srcu(&one, fresh_head(), free_head);
    if (with_irqs_off) irq_on();
    srcu_barrier(&one);
    std::string held;
    for (const char* lock : {"srcu_data.lock", "srcu_usage.lock", "rtpcp.lock"})
      if (!where_taken(lock, "srcu_host.lock").empty()) held += lock;
    cleanup_srcu_struct(&one);
    EXPECT_TRUE(proving.seen.empty()) << strategy << ": " << proving.seen[0].text;
    return held;
  };
  for (const char* strategy : {"direct", "rc4", "delayed", "nolock", "bpf_defer"})
    EXPECT_EQ(held_around_the_host(strategy), "srcu_usage.lock") << strategy;
  for (const char* strategy : {"irq_work", "defer_nmi", "defer_irqoff", "tasks_trace"})
    EXPECT_EQ(held_around_the_host(strategy), "") << strategy;
  // Its timer is armed by a second post before the first is drained, which the interrupt might come between.
  EXPECT_EQ(held_around_the_host("tasks_trace_legacy", true), "rtpcp.lock");
}

TEST_F(Library, IsNotReportedForPostsInNmiWhereTheStrategyBearsThem) {
  for (const Strategy* const* strategy = all_strategies; *strategy; ++strategy) {
    if ((*strategy)->bears == Bears::kNoHandler) continue;
    srcu_struct one;
    ASSERT_EQ(init_srcu_struct(&one), 0);
    ASSERT_EQ(srcu_set_strategy(&one, (*strategy)->name), 0);
    call_srcu(&one, fresh_head(), free_head);
    nmi_enter();
    call_srcu_nolock(&one, fresh_head(), free_head);
    nmi_exit();
    {
      const IrqLocked locked(usage_of(&one).lock);
      nmi_enter();
      call_srcu_nolock(&one, fresh_head(), free_head);
      nmi_exit();
    }
    srcu_barrier(&one);
    cleanup_srcu_struct(&one);
    ASSERT_TRUE(proving.seen.empty()) << (*strategy)->name << ": " << proving.seen[0].text;
  }
}

TEST_F(Library, TakesADomainAtAnOldAddressForANewOne) {
  Mutex one{class_named('P'), {}};
  srcu_struct first;
  for (const bool locked_outside : {true, false}) {
    ASSERT_EQ(init_srcu_struct(&first), 0);
    if (locked_outside) {
      const std::scoped_lock held(one);
      synchronize_srcu(&first);
    } else {
      const int idx = srcu_read_lock(&first);
      const std::scoped_lock held(one);
      srcu_read_unlock(&first, idx);
    }
    cleanup_srcu_struct(&first);
  }
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
}

TEST_F(Library, ReportsALockThatReadersTakeAroundAGracePeriod) {
  Mutex one{class_named('P'), {}};
  {
    const int idx = srcu_read_lock(&domain);
    { const std::scoped_lock held(one); }
    srcu_read_unlock(&domain, idx);
  }
  EXPECT_TRUE(proving.seen.empty());
  const std::scoped_lock held(one);
  synchronize_srcu(&domain);
  ASSERT_EQ(proving.seen.size(), 1U);
  EXPECT_EQ(proving.seen[0].check, "lock_cycle");
  EXPECT_NE(proving.seen[0].text.find("at synchronize_srcu"), std::string::npos) << proving.seen[0].text;
  EXPECT_NE(proving.seen[0].text.find("at srcu_read_lock()"), std::string::npos) << proving.seen[0].text;
}

TEST_F(Library, ReportsWhatAnotherDomainAtTheSameAddressDidBefore) {
  Mutex one{class_named('P'), {}};
  srcu_struct first;
  for (unsigned domains = 1; domains <= 3; ++domains) {
    ASSERT_EQ(init_srcu_struct(&first), 0);
    {
      const int idx = srcu_read_lock(&first);
      { const std::scoped_lock held(one); }
      srcu_read_unlock(&first, idx);
      const std::scoped_lock held(one);
      synchronize_srcu(&first);
    }
    cleanup_srcu_struct(&first);
    EXPECT_EQ(proving.seen.size(), domains);
  }
}

TEST_F(Library, ReportsWaitingWhereNobodyMaySleep) {
  struct Wait {
    const char* name;
    void (*wait)(srcu_struct*);
  };
  for (const Wait& wait : {Wait{"synchronize_srcu", synchronize_srcu},
                           Wait{"synchronize_srcu_expedited", synchronize_srcu_expedited},
                           Wait{"srcu_barrier", srcu_barrier}}) {
    for (const auto& [enter, leave] : {std::pair("+A", "-A"), std::pair("[h", "h]")}) {
      srcu_struct one;
      ASSERT_EQ(init_srcu_struct(&one), 0);
      proving.seen.clear();
      tell_word(enter);
      wait.wait(&one);
      tell_word(leave);
      ASSERT_FALSE(proving.seen.empty()) << enter << " " << wait.name;
      EXPECT_EQ(proving.seen[0].check, "wait_context") << proving.seen[0].text;
      EXPECT_NE(proving.seen[0].text.find(std::string("at ") + wait.name + "\n"), std::string::npos) << proving.seen[0].text;
      cleanup_srcu_struct(&one);
    }
  }
}

TEST_F(Library, IsNotReportedForReadersWhereNobodyMaySleepNorForReadersWhoSleep) {
  for (const char* story : {"+A -A", "[h h]", "[s s]", "+P -P"}) {
    std::istringstream words(story);
    std::string enter, leave;
    words >> enter >> leave;
    tell_word(enter);
    srcu_read_unlock(&domain, srcu_read_lock(&domain));
    tell_word(leave);
    const int idx = srcu_read_lock(&domain);
    tell_word(enter);
    tell_word(leave);
    srcu_read_unlock(&domain, idx);
  }
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
}

TEST_F(Library, ReportsALockThatCallbacksTakeAroundABarrier) {
  static Mutex one{class_named('Q'), {}};
  call_srcu(&domain, fresh_head(), [](rcu_head* head) {
    delete head;
    const std::scoped_lock held(one);
  });
  srcu_barrier(&domain);
  EXPECT_TRUE(proving.seen.empty());
  const std::scoped_lock held(one);
  srcu_barrier(&domain);
  ASSERT_EQ(proving.seen.size(), 1U);
  EXPECT_EQ(proving.seen[0].check, "lock_cycle");
}

TEST_F(Library, UnderARawLockIsReportedIfItsLocksMaySleep) {
  // Not with raw ones, as they are.
  srcu_lockdep_acquire(instance('A'), &class_named('A'), SRCU_LOCKDEP_WRITE);
  call_srcu(&domain, fresh_head(), free_head);
  srcu_lockdep_release(instance('A'));
  srcu_barrier(&domain);
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
  EXPECT_EQ(srcu_lockdep_set_own_wait(SRCU_LOCKDEP_CONFIG), -EBUSY);

  srcu_lockdep_reset();
  ASSERT_EQ(srcu_lockdep_set_own_wait(SRCU_LOCKDEP_CONFIG), 0);
  srcu_lockdep_acquire(instance('A'), &class_named('A'), SRCU_LOCKDEP_WRITE);
  call_srcu(&domain, fresh_head(), free_head);
  srcu_lockdep_release(instance('A'));
  srcu_barrier(&domain);
  ASSERT_FALSE(proving.seen.empty());
  EXPECT_EQ(proving.seen[0].headline, "Invalid wait context");
  EXPECT_NE(proving.seen[0].text.find("srcu_data.lock {3:3}"), std::string::npos) << proving.seen[0].text;
  srcu_lockdep_reset();
  EXPECT_EQ(srcu_lockdep_set_own_wait(SRCU_LOCKDEP_SPIN), 0);
}

TEST_F(Library, GoesThroughAForkWithoutReport) {
  read_and_update();
  srcu_struct others[2];
  for (auto& other : others) ASSERT_EQ(init_srcu_struct(&other), 0);
  srcu_before_fork();
  const pid_t child = fork();
  if (child == 0) {
    srcu_after_fork_child();
    read_and_update();
    _exit(proving.seen.empty() ? 0 : 1);
  }
  srcu_after_fork_parent();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  read_and_update();
  for (auto& other : others) cleanup_srcu_struct(&other);
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
  EXPECT_EQ(srcu_lockdep_get_stats().unmatched, 0U);
}

// These would hang; the report comes first.
using LibraryDeathTest = Library;

void exit_with_a_recursion_to_tell(const srcu_lockdep_report* report, void*) {
  _exit(strcmp(report->check, "lock_recursion") == 0 ? 7 : 8);
}

TEST_F(LibraryDeathTest, AGracePeriodInItsOwnReader) {
  EXPECT_EXIT(
      {
        srcu_lockdep_set_hook(exit_with_a_recursion_to_tell, nullptr);
        srcu_read_lock(&domain);
        synchronize_srcu(&domain);
      },
      testing::ExitedWithCode(7), "");
}

TEST_F(LibraryDeathTest, ABarrierInACallback) {
  EXPECT_EXIT(
      {
        srcu_lockdep_set_hook(exit_with_a_recursion_to_tell, nullptr);
        static srcu_struct* const mine = &domain;
        srcu_before_fork();  // the test's own fork left the helper behind
        if (fork() != 0) {
          int status = 0;
          wait(&status);
          _exit(WEXITSTATUS(status));
        }
        srcu_after_fork_child();
        call_srcu(mine, fresh_head(), [](rcu_head*) { srcu_barrier(mine); });
        sleep(20);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace srcu::test
