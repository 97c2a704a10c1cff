// Keys of pthread: of each thread and each execution, and destroyed at the thread's end.
#include <limits.h>
#include <pthread.h>

#include <atomic>

#include "harness/engine/test.hpp"

namespace {

using engine::check;

pthread_key_t made(void (*destroy)(void*)) {
  pthread_key_t key;
  pthread_key_create(&key, destroy);
  return key;
}

std::atomic<int> destroyed;
void count(void*) { destroyed.fetch_add(1, std::memory_order_relaxed); }

pthread_key_t before_main = made(count), key;
int value;

void again(void* it) {
  count(it);
  pthread_setspecific(key, it);
}

void use(pthread_key_t it) {
  check(pthread_getspecific(it) == nullptr, "somebody else's value");
  check(pthread_setspecific(it, &value) == 0, "no value can be set");
  check(pthread_getspecific(it) == &value, "another value");
}

bool make(void (*destroy)(void*)) {
  if (pthread_key_create(&key, destroy) == 0) return true;
  key = before_main;
  return false;
}

}  // namespace

ENGINE_TEST(values_of_threads, "Each thread has a value of its own, which is destroyed at its end.") {
  static bool has;
  test.init([] { has = make(count); });
  const auto body = [] {
    if (has) use(key);
  };
  test.thread(body).thread(body).fini(
      [] { check(destroyed == (has ? 2 : 0), "not as many destroyed as there were"); });
}

ENGINE_TEST(values_of_early_keys, "So with a key that was made before main().") {
  test.thread([] { use(before_main); }).thread([] { use(before_main); });
  test.fini([] { check(destroyed == 2, "not as many destroyed as there were"); });
}

ENGINE_TEST(values_set_by_destructors, "What a destructor sets is destroyed as well, but not for ever.") {
  static bool has;
  test.init([] { has = make(again); });
  test.thread([] {
    if (has) use(key);
  });
  test.fini(
      [] { check(destroyed == (has ? PTHREAD_DESTRUCTOR_ITERATIONS : 0), "another number of rounds"); });
}

ENGINE_TEST(values_of_deleted_keys,
            "A key that is deleted has no values, and its destructor is not called.") {
  test.thread([] {
    if (!make(count)) return;
    use(key);
    check(pthread_key_delete(key) == 0, "no key can be deleted");
    check(pthread_getspecific(key) == nullptr && pthread_setspecific(key, &value) != 0,
          "a deleted key has values");
  });
  test.fini([] { check(destroyed == 0, "destroyed"); });
}

ENGINE_TEST(wrong_values_shared, "A destructor is code of its thread: it races like other code.") {
  test.init([] { make([](void* it) { ++*static_cast<int*>(it); }); });
  const auto body = [] { pthread_setspecific(key, &value); };
  test.thread(body).thread(body);
}
