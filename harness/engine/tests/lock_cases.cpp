// pthread's locks and what is done once, where something unusual happens to them. The names of those that must fail begin with "wrong_".
#include <pthread.h>

#include <mutex>

#include "harness/engine/env.hpp"
#include "harness/engine/test.hpp"

namespace {

using engine::check;

pthread_mutex_t left_mutex = PTHREAD_MUTEX_INITIALIZER, right_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t read_write_lock = PTHREAD_RWLOCK_INITIALIZER;
int counted;

void take_both(pthread_mutex_t& first, pthread_mutex_t& second) {
  pthread_mutex_lock(&first);
  pthread_mutex_lock(&second);
  ++counted;
  pthread_mutex_unlock(&second);
  pthread_mutex_unlock(&first);
}

/// Has nothing to do with any lock, and goes on for long.
void tick() {
  for (int i = 0; i < 200; ++i) engine::env::sleep_ns(1'000'000);
}

void use_all_locks() {
  pthread_mutex_lock(&left_mutex);
  pthread_rwlock_wrlock(&read_write_lock);
  ++counted;
  pthread_rwlock_unlock(&read_write_lock);
  pthread_rwlock_rdlock(&read_write_lock);
  check(counted > 0, "not counted");
  pthread_rwlock_unlock(&read_write_lock);
  pthread_mutex_unlock(&left_mutex);
}

}  // namespace

ENGINE_TEST(call_once_that_throws, "If what is done once throws, the next one does it, and sees what was done before.") {
  static std::once_flag once;
  static int begun, done;
  const auto insist = [] {
    for (bool again = true; again;) {
      again = false;
      try {
        std::call_once(once, [] {
          if (++begun == 1) throw 1;
          ++done;
        });
      } catch (int) {
        again = true;
      }
    }
  };
  test.thread(insist).thread(insist).fini([] { check(begun == 2 && done == 1, "not once"); });
}

ENGINE_TEST(static_that_throws, "The same of a static variable's constructor.") {
  static int begun;
  struct Made {
    Made() {
      if (++begun == 1) throw 1;
    }
  };
  const auto insist = [] {
    for (bool again = true; again;) {
      again = false;
      try {
        static Made made;
        (void)&made;
      } catch (int) {
        again = true;
      }
    }
  };
  test.thread(insist).thread(insist).fini([] { check(begun == 2, "not once"); });
}

ENGINE_TEST(locks_made_anew_in_a_child, "Locks that were held by whoever is gone are new after they were made anew.") {
  test.thread(use_all_locks).thread([] {
    engine::become_child();
    pthread_mutex_init(&left_mutex, nullptr);
    pthread_rwlock_init(&read_write_lock, nullptr);
    use_all_locks();
  });
}

ENGINE_TEST(wrong_mutex_destroyed, "A mutex that is held must not be destroyed.") {
  test.thread([] {
    pthread_mutex_lock(&left_mutex);
    pthread_mutex_destroy(&left_mutex);
  });
}

ENGINE_TEST(wrong_rwlock_destroyed, "Nor a read-write lock that a reader holds.") {
  test.thread([] {
    pthread_rwlock_rdlock(&read_write_lock);
    pthread_rwlock_destroy(&read_write_lock);
  });
}

ENGINE_TEST(wrong_mutexes_crosswise, "Two wait for each other, which is told at once although a third goes on.") {
  test.thread([] { take_both(left_mutex, right_mutex); }).thread([] { take_both(right_mutex, left_mutex); }).thread(tick);
}

ENGINE_TEST(wrong_locks_of_two_kinds_crosswise, "The same with a read-write lock.") {
  test.thread([] {
    pthread_rwlock_wrlock(&read_write_lock);
    pthread_mutex_lock(&left_mutex);
    pthread_mutex_unlock(&left_mutex);
    pthread_rwlock_unlock(&read_write_lock);
  });
  test.thread([] {
    pthread_mutex_lock(&left_mutex);
    pthread_rwlock_rdlock(&read_write_lock);
    pthread_rwlock_unlock(&read_write_lock);
    pthread_mutex_unlock(&left_mutex);
  });
  test.thread(tick);
}

ENGINE_TEST(limited_locks_crosswise, "Who gives up after a time is in no ring.") {
  test.thread([] { take_both(left_mutex, right_mutex); }).thread([] {
    pthread_mutex_lock(&right_mutex);
    const timespec at{1'000'000, 0};
    if (pthread_mutex_clocklock(&left_mutex, CLOCK_MONOTONIC, &at) == 0) pthread_mutex_unlock(&left_mutex);
    pthread_mutex_unlock(&right_mutex);
  });
}
