// The helper thread: who starts it, what it is there for, and that no domain has it for itself.
#include <errno.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "srcu/platform/env.hpp"
#include "srcu/tests/refuse.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;
using test::Flag;

// Posts itself for as long as it is to.
struct Greedy {
  rcu_head head;
  srcu_struct* ssp;
  Flag* stop;
  std::atomic<unsigned> times{0};

  static void on_grace_period(rcu_head* head) {
    auto& self = *reinterpret_cast<Greedy*>(head);
    ++self.times;
    if (!self.stop->is_set()) call_srcu(self.ssp, head, on_grace_period);
  }
};

TEST(Helper, ACallbackThatPostsItselfStarvesNoOtherDomain) {
  Domain one, other;
  Flag stop, done;
  Greedy greedy{.head = {}, .ssp = one, .stop = &stop};
  call_srcu(one, &greedy.head, Greedy::on_grace_period);
  ASSERT_TRUE(test::eventually([&] { return greedy.times > 10; }));
  Counted counted;
  std::jthread poster([&] {
    counted.post(other);
    srcu_barrier(other);
    done.set();
  });
  EXPECT_TRUE(test::eventually([&] { return done.is_set(); }, std::chrono::seconds(10)));
  stop.set();
  poster.join();
  for (int i = 0; i < 2; ++i) srcu_barrier(one);  // the callback that runs by now may post once more
}

void threads_cannot_be_had() {
  for (const unsigned call : {SYS_clone, SYS_clone3}) test::refuse(call, EAGAIN);
}

class HelperDeathTest : public testing::Test {
 protected:
  HelperDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }  // one that has no helper yet
};

void barrier_finds_a_staged_post_and_no_helper() {
  alarm(20);
  DEFINE_STATIC_SRCU(ssp);
  static Counted counted;
  irq_off();
  counted.post(&ssp);  // as a handler does; starts no helper, since that allocates
  irq_on();
  srcu_barrier(&ssp);
  _exit(counted.times() == 1 ? 0 : 1);
}

TEST_F(HelperDeathTest, ABarrierStartsItForAPostThatCouldNot) {
  EXPECT_EXIT(barrier_finds_a_staged_post_and_no_helper(), testing::ExitedWithCode(0), "");
}

void a_barrier_that_cannot_start_it() {
  alarm(20);
  threads_cannot_be_had();
  DEFINE_STATIC_SRCU(ssp);
  static Counted counted;
  irq_off();
  counted.post(&ssp);
  irq_on();
  srcu_barrier(&ssp);
}

TEST_F(HelperDeathTest, ABarrierThatCannotStartItSaysSo) {
  EXPECT_DEATH(a_barrier_that_cannot_start_it(), "srcu: srcu_barrier: the helper thread cannot be started: raise the limit");
}

void a_child_that_can_start_no_thread() {
  alarm(20);
  CHILD_CHECK(srcu_start_helper() == 0);
  static DEFINE_SRCU(ssp);
  srcu_before_fork();
  const pid_t child = fork();
  if (child != 0) {
    srcu_after_fork_parent();
    int status = 0;
    CHILD_CHECK(waitpid(child, &status, 0) == child);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  alarm(20);
  srcu_after_fork_child();
  threads_cannot_be_had();
  static Counted counted;
  counted.post(&ssp);
  srcu_barrier(&ssp);
  _exit(counted.times() == 1 ? 0 : 1);
}

TEST_F(HelperDeathTest, AForkedChildHasItIfTheParentHad) {
  NEEDS_VANISHED_THREADS();
  EXPECT_EXIT(a_child_that_can_start_no_thread(), testing::ExitedWithCode(0), "");
}

void nobody_is_told_of_a_thread_that_is_not_there() {
  alarm(60);
  std::atomic<unsigned> ready{0}, told{0};
  const auto ask = [&] {
    threads_cannot_be_had();  // a filter is a thread's
    for (++ready; ready < 2;) sched_yield();
    for (unsigned i = 0; i < 20'000; ++i) told += srcu_start_helper() == 0;
  };
  std::jthread other(ask);
  ask();
  other.join();
  _exit(told == 0 ? 0 : 1);
}

TEST_F(HelperDeathTest, IsNotThereBecauseSomebodyTriesToStartIt) {
  EXPECT_EXIT(nobody_is_told_of_a_thread_that_is_not_there(), testing::ExitedWithCode(0), "");
}

void a_failure_keeps_errno() {
  threads_cannot_be_had();
  errno = EDOM;
  CHILD_CHECK(!env::start_thread([] {}, "none"));
  CHILD_CHECK(errno == EDOM);
  _exit(0);
}

TEST_F(HelperDeathTest, AFailureToStartItKeepsErrno) {
  EXPECT_EXIT(a_failure_keeps_errno(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace srcu
