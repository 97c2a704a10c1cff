// pthread keys of code under test. A controlled thread borrows the block of one of libc's that never ends:
// there, values would be left over for the next execution, and never be destroyed. Libraries that are linked
// as they are keep theirs there all the same.
#include <limits.h>
#include <pthread.h>

#include <cerrno>

#include "harness/engine/fatal.hpp"
#include "harness/engine/plain.hpp"
#include "harness/engine/real.hpp"
#include "harness/engine/renew.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

constexpr pthread_key_t kFirst = 128;  // below are libc's, made before any execution
constexpr pthread_key_t kEnd = 256;

struct Key {
  bool known;
  void (*destroy)(void*);
};

// As the program's own variables: put back for each execution. No number comes twice in one: a value outlives
// no key.
Key keys[kEnd];
pthread_key_t next_key = kFirst;

thread_local void** values;  // null in a new thread, as all that is thread_local

bool known(pthread_key_t key) { return key < kEnd && keys[key].known; }

template <class T>
void set(T& variable, const T& value) {
  will_write(reinterpret_cast<uintptr_t>(&variable), sizeof variable);
  variable = value;
}

int make(Run& run, pthread_key_t* key, void (*destroy)(void*), uintptr_t pc) {
  run.point({Kind::kAllocate, Order::kRelaxed, 0, 0, pc});
  if (run.fault(kNoMemory) || next_key == kEnd) return EAGAIN;
  will_give(run, key, sizeof *key, pc);
  *key = next_key;
  set(next_key, next_key + 1);
  set(keys[*key], Key{true, destroy});
  run.did(0, *key);
  return 0;
}

/// At the thread's end, as code under test. What destructors set is destroyed in the next round, of which
/// there are few.
void destroy_values(void*) {
  bool any = true;
  for (int round = 0; any && round < PTHREAD_DESTRUCTOR_ITERATIONS; ++round) {
    any = false;
    for (pthread_key_t key = 0; key < kEnd; ++key) {
      void* const value = values[key];
      if (!keys[key].known || !keys[key].destroy || !value) continue;
      any = true;
      values[key] = nullptr;
      keys[key].destroy(value);
    }
  }
}

int set_value(Run& run, pthread_key_t key, const void* value) {
  if (!values) {
    values = static_cast<void**>(arena_allocate(kEnd * sizeof *values, alignof(void*)));
    if (!values) return ENOMEM;
    auto& hooks = run.thread(run.self()).at_exit;
    hooks.insert(hooks.begin(), {destroy_values, nullptr});  // after thread_local destructors
  }
  values[key] = const_cast<void*>(value);
  return 0;
}

}  // namespace
}  // namespace engine

using engine::Inside;
using engine::real;

extern "C" {

int pthread_key_create(pthread_key_t* key, void (*destroy)(void*)) noexcept {
  Inside in;
  if (!engine::instrumented(ENGINE_CALLER)) return real().pthread_key_create(key, destroy);
  if (in) return engine::make(*in, key, destroy, ENGINE_CALLER);
  const int error = real().pthread_key_create(key, destroy);
  if (error != 0) return error;
  if (*key >= engine::kFirst) engine::fatal("too many pthread keys outside of executions");
  engine::keys[*key] = {true, destroy};
  return 0;
}

int pthread_key_delete(pthread_key_t key) noexcept {
  Inside in;
  if (in && engine::known(key)) {
    in->point({engine::Kind::kFree, engine::Order::kRelaxed, 0, 0, ENGINE_CALLER});
    engine::set(engine::keys[key], {});
    return 0;
  }
  if (in && key >= engine::kFirst) return EINVAL;
  if (!in && engine::known(key)) engine::keys[key] = {};
  return real().pthread_key_delete(key);
}

void* pthread_getspecific(pthread_key_t key) noexcept {
  Inside in;
  if (!in || (key < engine::kFirst && !engine::known(key))) return real().pthread_getspecific(key);
  return engine::values && engine::known(key) ? engine::values[key] : nullptr;
}

int pthread_setspecific(pthread_key_t key, const void* value) noexcept {
  Inside in;
  if (!in || (key < engine::kFirst && !engine::known(key))) return real().pthread_setspecific(key, value);
  return engine::known(key) ? engine::set_value(*in, key, value) : EINVAL;
}
}
