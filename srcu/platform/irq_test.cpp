#include "srcu/platform/irq.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <array>
#include <thread>
#include <vector>

#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

/// A work that counts how often it ran, and then does as told.
struct Counter {
  IrqWork work{[](void* self) { static_cast<Counter*>(self)->on_run(); }, this};
  std::atomic<unsigned> ran{0};
  std::function<void()> then;

  void on_run() {
    ++ran;
    if (then) then();
  }
};

TEST(Irq, NestsPerThread) {
  irq_off();
  irq_off();
  irq_on();
  EXPECT_TRUE(irqs_off());
  std::jthread([] { EXPECT_FALSE(irqs_off()); }).join();
  irq_on();
  EXPECT_FALSE(irqs_off());
}

TEST(Irq, NmiNestsToo) {
  nmi_enter();
  nmi_enter();
  nmi_exit();
  EXPECT_TRUE(in_nmi());
  nmi_exit();
  EXPECT_FALSE(in_nmi());
}

TEST(IrqWork, RunsAtOnceWithInterruptsOn) {
  Counter counter;
  irq_work_queue(counter.work);
  EXPECT_EQ(counter.ran, 1u);
}

TEST(IrqWork, WaitsUntilTheOutermostOn) {
  Counter counter;
  irq_off();
  irq_off();
  irq_work_queue(counter.work);
  irq_on();
  EXPECT_EQ(counter.ran, 0u);
  irq_on();
  EXPECT_EQ(counter.ran, 1u);
}

TEST(IrqWork, QueuedInNmiWaitsForItsEnd) {
  Counter counter;
  nmi_enter();
  nmi_enter();
  irq_work_queue(counter.work);
  nmi_exit();
  EXPECT_EQ(counter.ran, 0u);
  nmi_exit();
  EXPECT_EQ(counter.ran, 1u);
}

TEST(IrqWork, QueuedInNmiOnTopOfInterruptsOffWaitsForTheNextOn) {
  Counter counter;
  irq_off();
  nmi_enter();
  irq_work_queue(counter.work);
  nmi_exit();
  EXPECT_EQ(counter.ran, 0u);
  irq_on();
  EXPECT_EQ(counter.ran, 1u);
}

TEST(IrqWork, QueuedTwiceRunsOnce) {
  Counter counter;
  irq_off();
  irq_work_queue(counter.work);
  irq_work_queue(counter.work);
  irq_on();
  EXPECT_EQ(counter.ran, 1u);
}

TEST(IrqWork, AllThatWereQueuedRun) {
  std::array<Counter, 5> counters;
  irq_off();
  for (Counter& counter : counters) irq_work_queue(counter.work);
  irq_on();
  for (const Counter& counter : counters) EXPECT_EQ(counter.ran, 1u);
}

TEST(IrqWork, QueuedByItselfWhileRunningRunsAgain) {
  Counter counter;
  counter.then = [&] {
    if (counter.ran < 3) irq_work_queue(counter.work);
  };
  irq_work_queue(counter.work);
  EXPECT_EQ(counter.ran, 3u);
}

TEST(IrqWork, QueuedByAnotherWhileRunningRunsThere) {
  Counter counter;
  test::Flag inside, queued;
  counter.then = [&] {
    if (counter.ran > 1) return;
    inside.set();
    EXPECT_TRUE(queued.wait());
  };
  std::jthread runner([&] { irq_work_queue(counter.work); });
  ASSERT_TRUE(inside.wait());
  irq_work_queue(counter.work);
  EXPECT_EQ(counter.ran, 2u);
  queued.set();
}

TEST(IrqWork, AWorkMayQueueAnotherUnderALockOfItsOwn) {
  Counter first, second;
  first.then = [&] {
    irq_off();
    irq_work_queue(second.work);
    EXPECT_EQ(second.ran, 0u);
    irq_on();
  };
  irq_work_queue(first.work);
  EXPECT_EQ(second.ran, 1u);
}

TEST(IrqWork, SyncWaitsWhileItIsQueued) {
  Counter counter;
  test::Flag queued, synced, go;
  std::jthread other([&] {
    irq_off();
    irq_work_queue(counter.work);
    queued.set();
    EXPECT_TRUE(go.wait());
    EXPECT_FALSE(synced.is_set());
    irq_on();
  });
  ASSERT_TRUE(queued.wait());
  std::jthread syncer([&] {
    irq_work_sync(counter.work);
    EXPECT_EQ(counter.ran, 1u);
    synced.set();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // time to go wrong in
  go.set();
  EXPECT_TRUE(synced.wait());
}

TEST(IrqWork, SyncWaitsWhileItRuns) {
  Counter counter;
  test::Flag inside, go;
  counter.then = [&] {
    inside.set();
    EXPECT_TRUE(go.wait());
  };
  std::jthread runner([&] { irq_work_queue(counter.work); });
  ASSERT_TRUE(inside.wait());
  test::Flag synced;
  std::jthread syncer([&] {
    irq_work_sync(counter.work);
    synced.set();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // time to go wrong in
  EXPECT_FALSE(synced.is_set());
  go.set();
  EXPECT_TRUE(synced.wait());
}

TEST(IrqWork, SyncOfAnIdleOneReturns) {
  Counter counter;
  irq_work_sync(counter.work);
  EXPECT_EQ(counter.ran, 0u);
}

// A post is seen by a run that begins after it, whichever thread queues and whichever runs.
TEST(IrqWork, WhatWasDoneBeforeQueueingIsSeenByARun) {
  constexpr unsigned kThreads = 3, kRounds = 20'000;
  std::atomic<unsigned> posted{0}, last_seen{0};
  Counter counter;
  counter.then = [&] {
    const unsigned seen = posted.load(std::memory_order_relaxed);
    unsigned before = last_seen.load(std::memory_order_relaxed);
    while (before < seen && !last_seen.compare_exchange_weak(before, seen, std::memory_order_relaxed)) {
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (unsigned round = 0; round < kRounds; ++round) {
          irq_off();
          posted.fetch_add(1, std::memory_order_relaxed);
          irq_work_queue(counter.work);
          irq_on();
        }
      });
    }
  }
  irq_work_sync(counter.work);
  EXPECT_EQ(last_seen, kThreads * kRounds);
}

/// The work of the handlers below.
Counter* from_handler = nullptr;
std::atomic<unsigned> handled_off{0};  // handlers that found interrupts off

void on_signal(int) {
  if (irqs_off()) ++handled_off;
  irq_off();
  irq_work_queue(from_handler->work);
  irq_on();
}

// Handlers that interrupt irq_off(), irq_on() and the list's own operations, at any instruction: each queueing is
// followed by a run.
TEST(IrqWork, HandlersMayQueueOnTopOfAnything) {
  Counter counter, own;
  from_handler = &counter;
  struct sigaction action {}, before;
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, &before);
  std::atomic<bool> stop{false};
  const pthread_t target = pthread_self();
  std::jthread sender([&] {
    while (!stop) pthread_kill(target, SIGUSR1), std::this_thread::yield();
  });
  unsigned rounds = 0;
  EXPECT_TRUE(test::eventually([&] {
    for (int i = 0; i < 1'000'000 && handled_off <= 50; ++i, ++rounds) {
      irq_off();
      irq_work_queue(own.work);
      irq_on();
    }
    return handled_off > 50;
  }));
  stop = true;
  sender.join();
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(own.ran, rounds);
  EXPECT_GT(counter.ran, 0u);
  EXPECT_EQ(counter.work.state, 0u) << "queued and forgotten";
  EXPECT_EQ(irq_state.pending, nullptr);
  EXPECT_FALSE(irqs_off());
}

}  // namespace
}  // namespace srcu
