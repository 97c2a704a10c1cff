// Time, and waiting for others. The names of those that must fail begin with "wrong_".
#include <pthread.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>

#include "harness/engine/env.hpp"
#include "harness/engine/test.hpp"

namespace {

using engine::check;
namespace env = engine::env;
constexpr auto kRelaxed = std::memory_order_relaxed;

std::atomic<int> flag, other_flag;
std::atomic<uint32_t> word;

void spin(const std::atomic<int>& until) {
  while (until.load(kRelaxed) == 0) env::cpu_relax();
}

void spin_without_pause(const std::atomic<int>& until) {
  while (until.load(kRelaxed) == 0) {
  }
}

template <uint64_t kNs>
void sleep_and_set() {
  env::sleep_ns(kNs);
  flag.store(1, kRelaxed);
}

/// Wakes the waiter after so many passages.
template <int kPassages>
void pass_and_wake() {
  for (int i = 0; i < kPassages; ++i) engine::passed();
  word.store(1, kRelaxed);
  env::futex_wake(word);
}

void wait_for_at_most_five() {
  engine::progress_among(5);
  while (word.load(kRelaxed) == 0) env::futex_wait(word, 0);
}

}  // namespace

ENGINE_TEST(waits_for_five, "Who waits for no more than it says may sleep meanwhile.") {
  test.thread(wait_for_at_most_five).thread(pass_and_wake<5>);
}

ENGINE_TEST(wrong_waits_for_six, "Who waits for more is found, though it makes no step.") {
  test.thread(wait_for_at_most_five).thread(pass_and_wake<6>);
}

ENGINE_TEST(short_sleep_beside_spinning, "A sleeper has slept enough once enough time went by.") {
  test.thread([] { spin(flag); }).thread(sleep_and_set<1000>);
}

ENGINE_TEST(long_sleep_beside_spinning, "Time goes on when all others wait in their own way.") {
  test.thread([] { spin(flag); }).thread([] { spin(flag); }).thread(sleep_and_set<1'000'000'000>);
}

ENGINE_TEST(long_sleep_beside_blind_spinning, "The same when they do not say that they wait.") {
  test.thread([] { spin_without_pause(flag); }).thread([] { spin_without_pause(flag); }).thread(sleep_and_set<1'000'000'000>);
}

ENGINE_TEST(both_yield, "Of two threads that yield each is on again.") {
  test.thread([] { spin(flag); });
  test.thread([] {
    env::cpu_relax();
    flag.store(1, kRelaxed);
  });
}

ENGINE_TEST(both_yield_the_other_way, "Whatever their numbers are.") {
  test.thread([] {
    env::cpu_relax();
    flag.store(1, kRelaxed);
  });
  test.thread([] { spin(flag); });
}

ENGINE_TEST(clocks_go_on, "Who looks at a clock again and again sees time go on, soon faster than a step at a time.") {
  test.thread([] {
    using namespace std::chrono_literals;
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < until) {
    }
    const time_t begun = time(nullptr);
    while (time(nullptr) < begun + 1000) env::cpu_relax();
  });
}

ENGINE_TEST(sleeping_takes_no_time, "All ways to sleep are virtual.") {
  test.thread([] {
    timeval before, after;
    gettimeofday(&before, nullptr);
    const unsigned left = sleep(100'000);
    usleep(1000);
    gettimeofday(&after, nullptr);
    check(left != 0 || after.tv_sec - before.tv_sec >= 100'000, "a whole sleep took less than it says");
  });
}

ENGINE_TEST(identities, "Threads differ, and each execution sees the same.") {
  test.thread([] { flag.store(gettid(), kRelaxed); }).thread([] { other_flag.store(gettid(), kRelaxed); });
  test.fini([] {
    check(flag.load(kRelaxed) != other_flag.load(kRelaxed), "two threads have one name");
    unsigned cpu = 7, random = 0;
    check(sched_getcpu() < 4 && getcpu(&cpu, nullptr) == 0 && cpu < 4, "no CPU of the engine's");
    check(getrandom(&random, sizeof random, 0) == 4, "nothing random");
    flag.store(static_cast<int>(random), kRelaxed);  // shows in the hash
  });
}

ENGINE_TEST(threads_are_gone, "Whoever finds a thread gone has all that it did behind him.") {
  static std::atomic<uint32_t> id;
  static int payload;
  test.thread([] {
    id.store(env::thread_id(), kRelaxed);
    payload = 1;
  });
  test.thread([] {
    check(!env::thread_is_gone(env::thread_id()), "gone while it asks");
    if (const uint32_t other = id.load(kRelaxed); other && env::thread_is_gone(other)) check(payload == 1, "an end before its cause");
  });
  test.fini([] { check(env::thread_is_gone(id.load(kRelaxed)), "there after its end"); });
}

ENGINE_TEST(limited_locks, "A limited wait for a lock ends, by whatever clock, and may succeed.") {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  test.init([] { pthread_rwlock_wrlock(&lock), pthread_mutex_lock(&mutex); });
  test.thread([] {
    pthread_setname_np(pthread_self(), "limited");
    timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += 3600;
    const auto late = [](int result) { check(result == ETIMEDOUT, "a lock that is never free was had"); };
    late(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &at));
    late(pthread_rwlock_timedrdlock(&lock, &at));
    late(pthread_rwlock_timedwrlock(&lock, &at));
    late(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &at));
    late(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &at));
  });
  test.fini([] {
    pthread_rwlock_unlock(&lock);
    const timespec at{1'000'000, 0};
    check(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &at) == 0, "a lock that is free was not had");
  });
}
