#include "harness/engine/real.hpp"

#include <dlfcn.h>

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
  ENGINE_FIND(pthread_rwlock_unlock);
  ENGINE_FIND(sched_yield);
  ENGINE_FIND(nanosleep);
  ENGINE_FIND(clock_gettime);
  ENGINE_FIND(clock_nanosleep);
#undef ENGINE_FIND
  return all;
}

// Set without a guard: guards may be the engine's own, too, and two threads that find the same do no harm.
Real found;
bool known;

}  // namespace

const Real& real() {
  if (!known) {
    found = find_all();
    known = true;
  }
  return found;
}

}  // namespace engine
