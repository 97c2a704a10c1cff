// The functions that the engine puts its own in the place of, as libc has them.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>

namespace engine {

struct Real {
#define ENGINE_REAL(name) decltype(&::name) name
  ENGINE_REAL(pthread_create);
  ENGINE_REAL(pthread_join);
  ENGINE_REAL(pthread_detach);
  ENGINE_REAL(pthread_once);
  ENGINE_REAL(pthread_self);
  ENGINE_REAL(pthread_mutex_init);
  ENGINE_REAL(pthread_mutex_destroy);
  ENGINE_REAL(pthread_cond_init);
  ENGINE_REAL(pthread_cond_destroy);
  ENGINE_REAL(pthread_rwlock_init);
  ENGINE_REAL(pthread_rwlock_destroy);
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
  ENGINE_REAL(pthread_mutex_clocklock);
  ENGINE_REAL(pthread_rwlock_timedrdlock);
  ENGINE_REAL(pthread_rwlock_timedwrlock);
  ENGINE_REAL(pthread_rwlock_clockrdlock);
  ENGINE_REAL(pthread_rwlock_clockwrlock);
  ENGINE_REAL(pthread_rwlock_unlock);
  ENGINE_REAL(pthread_key_create);
  ENGINE_REAL(pthread_key_delete);
  ENGINE_REAL(pthread_getspecific);
  ENGINE_REAL(pthread_setspecific);
  ENGINE_REAL(sched_yield);
  ENGINE_REAL(nanosleep);
  ENGINE_REAL(clock_gettime);
  ENGINE_REAL(clock_nanosleep);
  ENGINE_REAL(sleep);
  ENGINE_REAL(gettimeofday);
  ENGINE_REAL(time);
  ENGINE_REAL(gettid);
  ENGINE_REAL(sched_getcpu);
  ENGINE_REAL(getcpu);
  ENGINE_REAL(getrandom);
  ENGINE_REAL(getentropy);
#undef ENGINE_REAL
};

const Real& real();

}  // namespace engine
