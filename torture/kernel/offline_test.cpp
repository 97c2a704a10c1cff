// A CPU that goes offline leaves nothing behind of what was queued on it: work, delayed work, posts that are staged.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/cpu.hpp"
#include "torture/kernel/host.hpp"

namespace torture::kernel {
namespace {

void end(const std::string& words) {
  fprintf(stderr, "%s\n", words.c_str());
  _exit(0);
}

template <class Body>
void on_second(Body body) {
  std::thread([&body] {
    Task task("on the second", cpu(1));
    const OnCpu on_cpu(task);
    body();
  }).join();
}

template <class Condition>
bool comes(Condition condition) {
  for (unsigned jiffies = 0; jiffies < 10'000; ++jiffies) {
    if (condition()) return true;
    srcu::env::sleep_ns(kJiffyNs);
  }
  return false;
}

/// A work that counts its runs, and waits for a word in each.
struct CountedWork {
  std::atomic<unsigned> begun{0}, ended{0};
  std::atomic<bool> may_end{true};
  srcu::Work work{[](void* argument) {
                    auto& self = *static_cast<CountedWork*>(argument);
                    ++self.begun;
                    while (!self.may_end) srcu::env::sleep_ns(kJiffyNs / 10);
                    ++self.ended;
                  },
                  this};
};

void queued_behind_others() {
  const Machine machine;
  CountedWork busy[2], behind;
  for (CountedWork& one : busy) one.may_end = false;
  on_second([&] {
    for (CountedWork& one : busy) kernel_host.queue_delayed_work(one.work, 0);
    if (!comes([&] { return busy[0].begun == 1 && busy[1].begun == 1; })) end("the workers do nothing");
    kernel_host.queue_delayed_work(behind.work, 0);
  });
  cpu(1).set_online(false);
  if (behind.begun != 0) end("there is a third worker");
  for (CountedWork& one : busy) one.may_end = true;
  if (!comes([&] { return behind.ended == 1; })) end("the work is left behind");
  for (CountedWork* one : {&busy[0], &busy[1], &behind}) kernel_host.cancel_work(one->work);
  end(behind.begun == 1 ? "ran" : "ran twice");
}

void waiting_for_its_time() {
  const Machine machine;
  CountedWork late;
  on_second([&] { kernel_host.queue_delayed_work(late.work, 20 * kJiffyNs); });
  cpu(1).set_online(false);
  if (!comes([&] { return late.ended == 1; })) end("the work is left behind");
  kernel_host.cancel_work(late.work);
  end(late.begun == 1 ? "ran" : "ran twice");
}

/// An irq_work that tells on whose tick it ran.
struct ToldIrqWork {
  std::atomic<bool> ran{false};
  char where[16] = "";
  srcu::IrqWork work{};

  ToldIrqWork() {
    work.owner = this;
    work.run = [](void* argument) {
      auto& self = *static_cast<ToldIrqWork*>(argument);
      pthread_getname_np(pthread_self(), self.where, sizeof self.where);
      self.ran = true;
    };
  }
};

void irq_work_at_the_tick(bool before_offline) {
  settings.self_ipi = false;
  const Machine machine;
  ToldIrqWork told;
  srcu::irq_work_claim(told.work);
  if (before_offline) cpu(1).run_at_next_tick(told.work), cpu(1).set_online(false);
  if (!before_offline) cpu(1).set_online(false), cpu(1).run_at_next_tick(told.work);
  if (!comes([&] { return told.ran.load(); })) end("the irq_work is left behind");
  kernel_host.sync_irq_work(told.work);
  end(std::string("ran on ") + told.where);
}

void irq_work_that_never_fires() {
  settings.self_ipi = settings.tick_runs_irq_works = false;
  const Machine machine;
  ToldIrqWork told;
  kernel_host.queue_irq_work(told.work);
  srcu::env::sleep_ns(50 * kJiffyNs);
  end(told.ran ? "ran" : "never ran");
}

// The tick that would run the irq_work may come before the CPU is offline, so there are some tries.
void staged(const srcu::Strategy& strategy) {
  settings.self_ipi = false;
  put_deferral_on_kernel();
  const Machine machine;
  srcu_struct ssp{nullptr, SRCU_KIND_NORMAL, nullptr, "staged"};
  if (srcu_set_strategy(&ssp, strategy.name) != 0) end("no such strategy");
  put_on_kernel(&ssp);
  static std::atomic<unsigned> ran;
  for (unsigned tries = 1; tries <= 20; ++tries) {
    rcu_head head;
    on_second([&] {
      srcu::irq_off();
      call_srcu_nolock(&ssp, &head, [](rcu_head*) { ++ran; });
      cpu(1).set_online(false);
      srcu::irq_on();
    });
    if (!comes([&] { return ran == tries; })) end("the post is left behind");
    cpu(1).set_online(true);
  }
  srcu_barrier(&ssp);
  cleanup_srcu_struct(&ssp);
  end("ran");
}

TEST(OfflineDeathTest, WorkBehindOthersRuns) { EXPECT_EXIT(queued_behind_others(), testing::ExitedWithCode(0), "^ran\n"); }

TEST(OfflineDeathTest, WorkWhoseTimeHasNotComeRuns) { EXPECT_EXIT(waiting_for_its_time(), testing::ExitedWithCode(0), "^ran\n"); }

// Queued there by somebody who saw it online.
TEST(OfflineDeathTest, AnIrqWorkRunsOnTheFirst) {
  EXPECT_EXIT(irq_work_at_the_tick(false), testing::ExitedWithCode(0), "^ran on tick/0\n");
}

TEST(OfflineDeathTest, AnIrqWorkQueuedBeforeRunsSomewhere) {
  EXPECT_EXIT(irq_work_at_the_tick(true), testing::ExitedWithCode(0), "^ran on tick/[01]\n");
}

TEST(IrqWorkDeathTest, WithoutIpiAndTickNeverRuns) {
  EXPECT_EXIT(irq_work_that_never_fires(), testing::ExitedWithCode(0), "^never ran\n");
}

// On a machine that cannot interrupt itself, so that the drain waits for a tick.
TEST(OfflineDeathTest, StagedPostsAreDrained) {
  for (const srcu::Strategy* const* each = srcu::all_strategies; *each; ++each)
    EXPECT_EXIT(staged(**each), testing::ExitedWithCode(0), "^ran\n") << (*each)->name;
}

}  // namespace
}  // namespace torture::kernel
