// The functions that the engine puts its own in the place of, as libc has them.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <cstddef>

namespace engine {

struct Real {
#define ENGINE_REAL(name) decltype(&::name) name
  ENGINE_REAL(pthread_create);
  ENGINE_REAL(pthread_join);
  ENGINE_REAL(pthread_detach);
  ENGINE_REAL(pthread_once);
  ENGINE_REAL(pthread_self);
  ENGINE_REAL(pthread_mutex_lock);
  ENGINE_REAL(pthread_mutex_trylock);
  ENGINE_REAL(pthread_mutex_timedlock);
  ENGINE_REAL(pthread_mutex_unlock);
  ENGINE_REAL(pthread_cond_wait);
  ENGINE_REAL(pthread_cond_timedwait);
  ENGINE_REAL(pthread_cond_clockwait);
  ENGINE_REAL(pthread_cond_signal);
  ENGINE_REAL(pthread_cond_broadcast);
  ENGINE_REAL(pthread_rwlock_rdlock);
  ENGINE_REAL(pthread_rwlock_tryrdlock);
  ENGINE_REAL(pthread_rwlock_wrlock);
  ENGINE_REAL(pthread_rwlock_trywrlock);
  ENGINE_REAL(pthread_rwlock_unlock);
  ENGINE_REAL(sched_yield);
  ENGINE_REAL(nanosleep);
  ENGINE_REAL(clock_gettime);
  ENGINE_REAL(clock_nanosleep);
#undef ENGINE_REAL
};

const Real& real();

}  // namespace engine
