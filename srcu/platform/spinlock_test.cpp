#include "srcu/platform/spinlock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace srcu {
namespace {

TEST(Spinlock, IsHeldByOneAtATime) {
  Spinlock lock;
  EXPECT_TRUE(lock.try_acquire());
  EXPECT_FALSE(lock.try_acquire());
  lock.drop();
  EXPECT_TRUE(lock.try_acquire());
  lock.drop();
}

TEST(Spinlock, GuardsPlainMemory) {
  constexpr unsigned kThreads = 4, kRounds = 20'000;
  Spinlock lock;
  unsigned sum = 0;
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (unsigned round = 0; round < kRounds; ++round) {
        const IrqLocked locked(lock);
        ++sum;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(sum, kThreads * kRounds);
}

TEST(Spinlock, AWaiterComesInWhenAHolderThatSleptIsDone) {
  Spinlock lock;
  lock.acquire_lock();
  std::atomic<bool> inside{false};
  std::jthread waiter([&] {
    lock.acquire_lock();
    inside = true;
    lock.drop();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // past spinning and yielding
  EXPECT_FALSE(inside);
  lock.drop();
  waiter.join();
  EXPECT_TRUE(inside);
}

TEST(IrqLocked, HasInterruptsOffWhileItLives) {
  Spinlock one, other;
  EXPECT_FALSE(irqs_off());
  {
    const IrqLocked outer(one);
    EXPECT_TRUE(irqs_off());
    { const IrqLocked inner(other); }
    EXPECT_TRUE(irqs_off());
    EXPECT_FALSE(one.try_acquire());
    EXPECT_TRUE(other.try_acquire());
    other.drop();
  }
  EXPECT_FALSE(irqs_off());
  EXPECT_TRUE(one.try_acquire());
}

}  // namespace
}  // namespace srcu
