// Spin locks that tell the engine when they wait. The names of those that must fail begin with "wrong_".
#include <pthread.h>

#include <atomic>

#include "harness/engine/env.hpp"
#include "harness/engine/test.hpp"

namespace {

class SpinLock {
 public:
  void lock() {
    while (held_.exchange(true, std::memory_order_acquire)) engine::env::wait_for_lock(&held_);
  }
  void unlock() { held_.store(false, std::memory_order_release); }
  const void* byte() const { return &held_; }

 private:
  std::atomic<bool> held_{false};
};

SpinLock left, right;
int counted;

void count() {
  left.lock();
  ++counted;
  left.unlock();
}

void take_both(SpinLock& first, SpinLock& second) {
  first.lock();
  second.lock();
  ++counted;
  second.unlock();
  first.unlock();
}

/// Has nothing to do with any lock, and goes on for long.
void tick() {
  for (int i = 0; i < 200; ++i) engine::env::sleep_ns(1'000'000);
}

ENGINE_TEST(spin_lock_of_one, "Without a choice all executions are the same.") { test.init(count); }
ENGINE_TEST(spin_lock, "A spin lock keeps others out, and its waiters come in.") {
  test.thread(count).thread(count).thread(count).fini([] { engine::check(counted == 3, "a step was lost"); });
}
ENGINE_TEST(spin_locks_in_order, "Whoever waits while holding is no ring.") {
  test.thread([] { take_both(left, right); }).thread([] { take_both(left, right); }).thread([] { take_both(left, right); });
}
ENGINE_TEST(wrong_spin_lock_again, "A thread waits for the lock that it holds.") {
  test.thread([] { take_both(left, left); }).thread(tick);
}
ENGINE_TEST(wrong_spin_locks_crosswise, "Two wait for each other, which is told at once although a third goes on.") {
  test.init([] {
    engine::name_lock(left.byte(), "the left lock");
    engine::name_lock(right.byte(), "the right lock");
    engine::tell_from_here();
  });
  test.thread([] {
    pthread_setname_np(pthread_self(), "lefthander");
    take_both(left, right);
  });
  test.thread([] { take_both(right, left); }).thread(tick);
}

}  // namespace
