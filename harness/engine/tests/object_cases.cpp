// Variables, objects and locks that are used when they must not be, or that only seem to. The names of those that must fail begin with
// "wrong_".
#include <pthread.h>
#include <sys/random.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <list>
#include <map>
#include <mutex>
#include <string>

#include "harness/engine/env.hpp"
#include "harness/engine/test.hpp"

std::atomic<int*> no_expected;  // not of this file alone: clang leaves out code that it knows to use a null pointer

namespace {

using engine::check;
constexpr auto kRelaxed = std::memory_order_relaxed;

std::atomic<std::atomic<int>*> nowhere;
std::atomic<pthread_mutex_t*> no_mutex;
std::atomic<int> x;

constexpr int kWords = 9;
std::atomic<int> words[kWords], all_stored;
pthread_t handle;
volatile pthread_t seen_handle;

struct Guarded {
  std::mutex mutex;
  int users = 2;
  std::atomic<uint32_t> word{0};
};

std::atomic<Guarded*> guarded;

struct Made {
  explicit Made(int it) : value(it) {}
  int value;
};

int made_at_first_use(int value) {
  static Made made(value);
  return made.value;
}

void use_static() { check(made_at_first_use(x.load(kRelaxed) + 7) == 7, "half a static variable was seen"); }

/// What stands in an array that nobody wrote; or leaves some there.
[[gnu::noinline]] int use_garbage(bool leave) {
  int some[512];
  asm volatile("" : : "r"(some) : "memory");
  for (int i = 0; leave && i < 512; ++i) some[i] = 0x5a5a;
  asm volatile("" : : "r"(some) : "memory");
  return some[100];
}

}  // namespace

ENGINE_TEST(static_of_a_function, "Who finds a static variable initialised sees all of it.") {
  test.thread([] { use_static(), use_static(); }).thread([] { use_static(), use_static(); });
}

ENGINE_TEST(wrong_atomic_nowhere, "An atomic access through a null pointer is a finding.") {
  test.thread([] { nowhere.load()->store(1, kRelaxed); });
}

ENGINE_TEST(wrong_atomic_load_nowhere, "So is one through a wild pointer.") {
  test.init([] { nowhere.store(reinterpret_cast<std::atomic<int>*>(0x12340)); });
  test.thread([] { x.store(nowhere.load()->load(kRelaxed), kRelaxed); });
}

ENGINE_TEST(wrong_mutex_nowhere, "So is a lock through one.") {
  test.thread([] { pthread_mutex_lock(no_mutex.load()); });
}

ENGINE_TEST(wrong_pointers, "Addresses of variables are values like others.") {
  static std::atomic<void*> pointer;
  test.thread([] { pointer.store(&x), pointer.store(&nowhere); });
  test.thread([] { check(pointer.load() != &x, "the first of the two"); });
}

ENGINE_TEST(wrong_garbage, "What an earlier execution left on the stack is not there; that one byte is not 7 is wrong.") {
  test.thread([] {
    x.store(use_garbage(false));
    use_garbage(true);
    unsigned char random = 0;
    check(getrandom(&random, 1, 0) == 1 && random != 7, "the byte is 7");
  });
}

ENGINE_TEST(wrong_in_a_catch, "An execution that ends in a catch leaves no exception to the next.") {
  test.thread([] {
    check(std::current_exception() == nullptr && std::uncaught_exceptions() == 0, "somebody else's exception");
    try {
      throw 1;
    } catch (int) {
      check(x.load() == 0, "the other was first");
    }
  });
  test.thread([] { x.store(1); });
}

ENGINE_TEST(last_one_deletes, "Whoever unlocks last may delete what the mutex stands in.") {
  const auto leave = [] {
    Guarded* const it = guarded.load();
    bool last;
    {
      const std::lock_guard lock(it->mutex);
      last = --it->users == 0;
    }
    if (last) delete it;
  };
  test.init([] { guarded = new Guarded; }).thread(leave).thread(leave);
}

ENGINE_TEST(wrong_lock_of_a_deleted, "A mutex that somebody deletes must not be locked.") {
  test.init([] { guarded = new Guarded; });
  test.thread([] { delete guarded.load(); });
  test.thread([] { const std::lock_guard lock(guarded.load()->mutex); });
}

ENGINE_TEST(wrong_wait_on_a_deleted, "Nor may a thread sleep on such a word.") {
  test.init([] { guarded = new Guarded; });
  test.thread([] { delete guarded.load(); });
  test.thread([] { engine::env::futex_wait(guarded.load()->word, 1); });
}

ENGINE_TEST(made_by_calls, "A lock that a call made in memory of its own is as good as another.") {
  test.thread([] {
    auto* const mutex = static_cast<pthread_mutex_t*>(malloc(sizeof(pthread_mutex_t)));
    if (mutex == nullptr) return;
    pthread_mutex_init(mutex, nullptr);
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
    pthread_mutex_destroy(mutex);
    free(mutex);
  });
}

ENGINE_TEST(written_by_libraries, "Global variables that libraries write are new for each execution, too.") {
  static std::map<int, int> map;
  static std::list<int> list;
  static std::string string;
  static char text[32];
  test.init([] { check(map.empty() && list.empty() && string.empty() && text[0] == 0, "something is left of an earlier execution"); });
  test.thread([] {
    map[1] = 2;
    list.push_back(3);
    string = "long enough to be allocated somewhere else";
    snprintf(text, sizeof text, "%d", x.load() + 4);
  });
}

ENGINE_TEST(allocated_and_written_by_libraries, "What a library wrote may be read.") {
  test.thread([] {
    auto* const text = static_cast<char*>(malloc(32));
    if (text == nullptr) return;
    snprintf(text, 32, "%d", x.load() + 4);
    check(text[0] == '4' && text[1] == 0, "not the text");
    free(text);
  });
}

ENGINE_TEST(wrong_memset, "memset() of a size that the compiler knows is a write like others.") {
  static char bytes[64];
  test.thread([] { memset(bytes, 0, sizeof bytes); }).thread([] { memset(bytes, 0, sizeof bytes); });
}

ENGINE_TEST(broken_thread_left, "A test must join or detach its threads.") {
  test.thread([] {
    pthread_t thread;
    pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
  });
}

ENGINE_TEST(wrong_handle_read, "Who reads a thread's handle while it is given races.") {
  test.thread([] {
    if (pthread_create(&handle, nullptr, [](void*) -> void* { return nullptr; }, nullptr) == 0) pthread_join(handle, nullptr);
  });
  test.thread([] { seen_handle = handle; });
}

ENGINE_TEST(wrong_all_old, "Who sees the flag may see each word old, however many there are.") {
  test.thread([] {
    for (auto& word : words) word.store(1, kRelaxed);
    all_stored.store(1, kRelaxed);
  });
  test.thread([] {
    if (all_stored.load(kRelaxed) == 0) return;
    int old = 0;
    for (auto& word : words) old += word.load(kRelaxed) == 0;
    check(old != kWords, "all of them were old");
  });
}

ENGINE_TEST(wrong_joined_twice, "A thread that is joined twice is a finding.") {
  test.thread([] {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr) != 0) return;
    pthread_join(thread, nullptr);
    pthread_join(thread, nullptr);
  });
}

ENGINE_TEST(wrong_expected_nowhere, "So is what a compare-exchange expects.") {
  test.thread([] { x.compare_exchange_strong(*no_expected.load(), 1); });
}
