#include "harness/engine/real.hpp"

#include <dlfcn.h>

#include <atomic>

#include "harness/engine/fatal.hpp"

namespace engine {
namespace {

template <class Function>
void find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
  if (!function) fatal("libc has no ", name);
}

Real find_all() {
  Real all{};
#define ENGINE_FIND(name) find(all.name, #name)
  ENGINE_FIND(pthread_create);
  ENGINE_FIND(pthread_join);
  ENGINE_FIND(pthread_detach);
  ENGINE_FIND(pthread_once);
  ENGINE_FIND(pthread_self);
  ENGINE_FIND(pthread_mutex_init);
  ENGINE_FIND(pthread_mutex_destroy);
  ENGINE_FIND(pthread_cond_init);
  ENGINE_FIND(pthread_cond_destroy);
  ENGINE_FIND(pthread_rwlock_init);
  ENGINE_FIND(pthread_rwlock_destroy);
  ENGINE_FIND(pthread_mutex_lock);
  ENGINE_FIND(pthread_mutex_trylock);
  ENGINE_FIND(pthread_mutex_timedlock);
  ENGINE_FIND(pthread_mutex_unlock);
  ENGINE_FIND(pthread_cond_wait);
  ENGINE_FIND(pthread_cond_timedwait);
  ENGINE_FIND(pthread_cond_clockwait);
  ENGINE_FIND(pthread_cond_signal);
  ENGINE_FIND(pthread_cond_broadcast);
  ENGINE_FIND(pthread_rwlock_rdlock);
  ENGINE_FIND(pthread_rwlock_tryrdlock);
  ENGINE_FIND(pthread_rwlock_wrlock);
  ENGINE_FIND(pthread_rwlock_trywrlock);
  ENGINE_FIND(pthread_mutex_clocklock);
  ENGINE_FIND(pthread_rwlock_timedrdlock);
  ENGINE_FIND(pthread_rwlock_timedwrlock);
  ENGINE_FIND(pthread_rwlock_clockrdlock);
  ENGINE_FIND(pthread_rwlock_clockwrlock);
  ENGINE_FIND(pthread_rwlock_unlock);
  ENGINE_FIND(pthread_key_create);
  ENGINE_FIND(pthread_key_delete);
  ENGINE_FIND(pthread_getspecific);
  ENGINE_FIND(pthread_setspecific);
  ENGINE_FIND(sched_yield);
  ENGINE_FIND(nanosleep);
  ENGINE_FIND(clock_gettime);
  ENGINE_FIND(clock_nanosleep);
  ENGINE_FIND(sleep);
  ENGINE_FIND(gettimeofday);
  ENGINE_FIND(time);
  ENGINE_FIND(gettid);
  ENGINE_FIND(sched_getcpu);
  ENGINE_FIND(getcpu);
  ENGINE_FIND(getrandom);
  ENGINE_FIND(getentropy);
#undef ENGINE_FIND
  return all;
}

// No static variable of a function: its guard may be the engine's own, which asks for these. Of real threads that come at a time one looks,
// and the others wait: they see all that it found (release, acquire).
enum State { kUnknown, kBeingFound, kKnown };
std::atomic<State> state{kUnknown};
Real found;

}  // namespace

const Real& real() {
  if (state.load(std::memory_order_acquire) == kKnown) return found;
  State before = kUnknown;
  // Relaxed: whoever comes to look reads nothing of others.
  if (state.compare_exchange_strong(before, kBeingFound, std::memory_order_relaxed)) {
    found = find_all();
    state.store(kKnown, std::memory_order_release);
  }
  while (state.load(std::memory_order_acquire) != kKnown) {
  }
  return found;
}

}  // namespace engine
