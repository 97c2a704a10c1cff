// What the engine does for code under test, and what it finds. The names of those that must fail begin with "wrong_".
#include <poll.h>
#include <pthread.h>

#include <atomic>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "harness/engine/env.hpp"
#include "harness/engine/test.hpp"

namespace {

using namespace std::chrono_literals;
using engine::check;
namespace env = engine::env;
constexpr auto kRelaxed = std::memory_order_relaxed;

/// \name New for each execution
/// @{
int written = 7;
int* allocated_before_main = new int(3);
thread_local int mine = 5;
thread_local std::string made_at_first_use = "x";

int first_use_of_static() {
  static int value = ++written;
  return value;
}
/// @}

std::mutex a, b;
std::shared_mutex shared;
std::condition_variable changed, never_changed;
std::atomic<uint32_t> word;
std::atomic<int> x, y;
std::atomic<int*> published;
int plain, other;
bool flag;

void lock_both(std::mutex& first, std::mutex& second) {
  const std::lock_guard one(first);
  const std::lock_guard two(second);
  ++plain;
}

void wait_for_word() {
  while (word.load(std::memory_order_acquire) == 0) env::futex_wait(word, 0);
}

void set_word() {
  word.store(1, std::memory_order_release);
  env::futex_wake(word);
}

void fenced_by_other(std::atomic<int>& to, std::atomic<int>& from, int& seen) {
  to.store(1, kRelaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  seen = from.load(kRelaxed);
}

}  // namespace

ENGINE_TEST(globals_are_new, "Global, static and thread_local variables have their first values in each execution.") {
  test.init([] {
    check(written == 7, "a global variable was written before");
    check(first_use_of_static() == 8, "a static variable of a function was initialised before");
  });
  const auto in_thread = [] {
    check(mine == 5 && made_at_first_use == "x", "a thread_local variable was written before");
    mine = 6;
    made_at_first_use += "long enough to be allocated somewhere";
    (void)*allocated_before_main;
  };
  test.thread(in_thread).thread(in_thread);
}

ENGINE_TEST(mutex_excludes, "A mutex orders what is done under it.") {
  const auto add = [] { lock_both(a, b); };
  test.thread(add).thread(add).fini([] { check(plain == 2, "an addition under a mutex was lost"); });
}

ENGINE_TEST(wrong_lock_order, "Two threads that take two mutexes in different orders wait for each other.") {
  test.thread([] { lock_both(a, b); }).thread([] { lock_both(b, a); });
}

ENGINE_TEST(wrong_twice, "A mutex cannot be taken twice.") {
  test.thread([] { lock_both(a, a); });
}

ENGINE_TEST(condition_variables, "A waiter under a mutex misses no change, and a limited wait ends.") {
  test.thread([] {
    std::unique_lock lock(a);
    while (!flag) changed.wait(lock);
  });
  test.thread([] {
    {
      const std::lock_guard lock(a);
      flag = true;
    }
    changed.notify_one();
  });
  test.thread([] {
    std::unique_lock lock(b);
    const bool in_time = never_changed.wait_for(lock, 1h, [] { return false; });
    check(!in_time, "a wait ended well");
  });
}

ENGINE_TEST(wrong_if_for_while, "A condition must be looked at again after a wait.") {
  test.thread([] {
    std::unique_lock lock(a);
    if (!flag) changed.wait(lock);
    check(flag, "woken for no reason");
  });
  test.thread([] {
    const std::lock_guard lock(a);
    flag = true;
    changed.notify_one();
  });
}

ENGINE_TEST(shared_mutex_excludes_writers, "Readers see no half-done write.") {
  const auto read = [] {
    const std::shared_lock lock(shared);
    check(plain == other, "half a write was seen");
  };
  test.thread(read).thread(read).thread([] {
    const std::unique_lock lock(shared);
    ++plain;
    ++other;
  });
}

ENGINE_TEST(standard_threads, "std::thread, call_once and thread_local destructors work under control.") {
  test.thread([] {
    static std::once_flag once;
    static int times = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back([] { std::call_once(once, [] { ++times; }); });
    for (std::thread& one : threads) one.join();
    check(times == 1, "call_once called twice");
  });
}

ENGINE_TEST(exit_hooks, "A thread's hook runs after its thread_local destructors, before the join returns.") {
  test.init([] {
    std::thread([] {
      struct Last {
        ~Last() { plain = 1; }
      };
      thread_local Last last;
      (void)&last;
      env::on_thread_exit([] {
        check(plain == 1, "the hook came first");
        plain = 2;
      });
    }).join();
    check(plain == 2, "joined before the hook");
  });
}

ENGINE_TEST(futex_handshake, "A waiter that looks again finds the word set.") {
  test.thread(wait_for_word).thread(set_word);
}

ENGINE_TEST(wrong_wake_before_store, "A wake-up before the store is lost.") {
  test.thread(wait_for_word).thread([] {
    env::futex_wake(word);
    word.store(1, std::memory_order_release);
  });
}

ENGINE_TEST(clock_leaps, "When all sleep, time goes on to the first that has slept enough.") {
  test.thread([] {
    const uint64_t begun = env::now_ns();
    for (int i = 0; i < 64 && env::now_ns() < begun + 1'000'000'000; ++i) env::sleep_ns(3'600'000'000'000);
    check(env::now_ns() > begun + 1'000'000'000, "64 hours took less than a second");
  });
}

ENGINE_TEST(membarrier_fences_others, "membarrier on one side, a compiler barrier on the other: one sees the other.") {
  test.thread([] { fenced_by_other(x, y, plain); });
  test.thread([] {
    y.store(1, kRelaxed);
    env::membarrier();
    other = x.load(kRelaxed);
  });
  test.fini([] { check(plain != 0 || other != 0, "neither saw the other"); });
}

ENGINE_TEST(wrong_no_membarrier, "Without it neither need.") {
  test.thread([] { fenced_by_other(x, y, plain); }).thread([] { fenced_by_other(y, x, other); });
  test.fini([] { check(plain != 0 || other != 0, "neither saw the other"); });
}

ENGINE_TEST(wrong_membarrier_in_one_instant, "Two threads may be fenced at different times of one membarrier.") {
  test.thread([] {
    x.store(1, kRelaxed);
    env::membarrier();
  });
  test.thread([] { y.store(1, kRelaxed); });
  test.thread([] {
    if (y.load(kRelaxed) == 1) check(x.load(kRelaxed) == 1, "an older value after a later one");
  });
}

ENGINE_TEST(spinning_ends, "A loop that waits for another thread's store ends, with or without a pause.") {
  test.thread([] {
    while (x.load(kRelaxed) == 0) {
    }
    while (y.load(kRelaxed) == 0) env::cpu_relax();
  });
  test.thread([] {
    x.store(1, kRelaxed);
    y.store(1, kRelaxed);
  });
}

ENGINE_TEST(wrong_spinning_for_ever, "A loop that nobody ends is found.") {
  test.thread([] {
    while (x.load(kRelaxed) == 0) env::cpu_relax();
  });
}

ENGINE_TEST(wrong_no_progress, "A bound on a thread's own steps is kept.") {
  test.thread([] {
    engine::progress(20);
    for (int i = 0; i < 30; ++i) x.fetch_add(1);
  });
}

ENGINE_TEST(wrong_use_after_free, "Freed memory is not touched.") {
  test.init([] { published = new int(1); });
  test.thread([] {
    if (int* it = published.load()) check(*it == 1, "not the value");
  });
  test.thread([] { delete published.exchange(nullptr); });
}

ENGINE_TEST(wrong_double_free, "Nothing is freed twice.") {
  test.init([] { published = new int(1); });
  const auto free_it = [] {
    if (int* it = published.load()) delete it;
    published = nullptr;
  };
  test.thread(free_it).thread(free_it);
}

ENGINE_TEST(wrong_retired, "What was retired is not touched either.") {
  test.thread([] { engine::retire(&x, sizeof x); }).thread([] { x.load(kRelaxed); });
}

ENGINE_TEST(handler_between_steps, "A handler that adds by one step loses nothing.") {
  test.thread([] {
    engine::set_handler([] { x.fetch_add(1, kRelaxed); });
    x.fetch_add(1, kRelaxed);
    engine::set_handler(nullptr);
  });
}

ENGINE_TEST(wrong_handler_in_an_addition, "A handler comes between the load and the store of an addition.") {
  test.thread([] {
    static bool came;
    engine::set_handler([] { came = true, x.store(x.load(kRelaxed) + 1, kRelaxed); });
    x.store(x.load(kRelaxed) + 1, kRelaxed);
    engine::set_handler(nullptr);
    check(x.load(kRelaxed) == (came ? 2 : 1), "an addition was lost to a handler");
  });
}

ENGINE_TEST(wrong_second_handler, "Of two handlers, each set for a while, the second may undo what the first did.") {
  test.thread([] {
    engine::set_handler([] { x.store(1, kRelaxed); });
    for (int i = 0; i < 5; ++i) y.fetch_add(1, kRelaxed);
    engine::set_handler([] { check(x.load(kRelaxed) == 0, "the second ran after the first"); });
    for (int i = 0; i < 5; ++i) y.fetch_add(1, kRelaxed);
    engine::set_handler(nullptr);
  });
  test.thread([] {
    for (int i = 0; i < 20; ++i) y.fetch_add(1, kRelaxed);
  });
}

ENGINE_TEST(broken_blocks_by_itself, "What would stop the one real thread is refused.") {
  test.thread([] { poll(nullptr, 0, 10); });
}

ENGINE_TEST(broken_once, "What was allocated before main() is not put back, so this fails in one execution of many.") {
  test.thread([] { check(++*allocated_before_main != 3 + 5, "the fifth execution"); });
}

ENGINE_TEST(broken_or_wrong, "Which of the two comes first is the seed's to say.") {
  test.thread([] { x.store(1); });
  test.thread([] {
    if (x.load() == 0) poll(nullptr, 0, 10);
    check(false, "the other was first");
  });
}

ENGINE_TEST(wrong_null, "A null pointer is a finding.") {
  test.thread([] { *published.load() = 1; });
}

ENGINE_TEST(wrong_assert, "So is a failed assert().") {
  test.thread([] { assert(x.load() == 1); });
}
