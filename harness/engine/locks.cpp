// pthread's locks for controlled threads. What a lock is is kept here, by its address, not in the lock's own bytes, so that one
// that was never initialised works as a zeroed one does, and nothing has to be undone after an execution.
#include <pthread.h>

#include <cerrno>

#include "harness/engine/real.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

uint64_t deadline(const Run& run, const timespec* at) {
  const auto ns = static_cast<uint64_t>(at->tv_sec) * 1'000'000'000 + static_cast<uint64_t>(at->tv_nsec);
  return ns > run.now_ns() ? ns : run.now_ns() + 1;  // all clocks are one
}

Step step(Kind kind, const void* lock, uintptr_t pc) {
  return {kind, kind == Kind::kUnlock ? Order::kRelease : Order::kAcquire, 1, reinterpret_cast<uintptr_t>(lock), pc};
}

bool recursive(const pthread_mutex_t* mutex) { return (mutex->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE; }

/// Without a step of its own: 0, or EBUSY.
int take(Run& run, pthread_mutex_t* mutex) {
  Lock& lock = run.lock(mutex);
  if (lock.writer == run.self() && recursive(mutex)) return ++lock.depth, 0;
  if (lock.writer != kMaxThreads || lock.readers != 0) return EBUSY;
  lock.writer = run.self();
  run.memory().acquire_from(run.self(), mutex);
  return 0;
}

int lock_until(Run& run, pthread_mutex_t* mutex, uint64_t until_ns, uintptr_t pc) {
  run.point(step(Kind::kLock, mutex, pc));
  if (run.lock(mutex).writer == run.self() && !recursive(mutex))
    run.fail(Outcome::Kind::kDeadlock, "a thread takes a mutex that it holds", pc);
  while (take(run, mutex) != 0)
    if (run.block(mutex, "a mutex", until_ns) == Woken::kByTime) return ETIMEDOUT;
  run.did(0, 0);
  return 0;
}

void unlock(Run& run, pthread_mutex_t* mutex, uintptr_t pc) {
  Lock& lock = run.lock(mutex);
  if (lock.writer != run.self()) run.fail(Outcome::Kind::kMisuse, "unlock of a mutex that the thread does not hold", pc);
  if (lock.depth != 0) {
    --lock.depth;
    return;
  }
  run.memory().release_to(run.self(), mutex);
  lock.writer = kMaxThreads;
  run.wake(mutex, kMaxThreads);  // all: who comes first is the scheduler's to say
}

int wait(Run& run, pthread_cond_t* condition, pthread_mutex_t* mutex, uint64_t until_ns, uintptr_t pc) {
  run.point(step(Kind::kWait, condition, pc));
  run.did(0, 0);
  unlock(run, mutex, pc);
  const bool for_no_reason = run.fault(kSpuriousWake);
  const Woken woken = for_no_reason ? Woken::kForNoReason : run.block(condition, "a condition", until_ns);
  lock_until(run, mutex, 0, pc);
  return woken == Woken::kByTime ? ETIMEDOUT : 0;
}

/// Writers come after each reader before them, readers not after each other: each has an object of its own to release.
const void* of_reader(const pthread_rwlock_t* it, ThreadId reader) {
  return reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(it) ^ (uintptr_t{reader} + 1) << 56);  // nobody's address
}

int lock_shared(Run& run, pthread_rwlock_t* it, bool write, bool may_wait, uintptr_t pc) {
  run.point(step(Kind::kLock, it, pc));
  Lock& lock = run.lock(it);
  while (lock.writer != kMaxThreads || (write && lock.readers != 0)) {
    if (!may_wait) return EBUSY;
    if (lock.writer == run.self()) return EDEADLK;
    run.block(it, "a read-write lock");
  }
  if (write)
    lock.writer = run.self();
  else
    ++lock.readers;
  run.memory().acquire_from(run.self(), it);
  for (ThreadId reader = 0; write && reader < run.thread_count(); ++reader) run.memory().acquire_from(run.self(), of_reader(it, reader));
  run.did(0, 0);
  return 0;
}

int unlock_shared(Run& run, pthread_rwlock_t* it, uintptr_t pc) {
  run.point(step(Kind::kUnlock, it, pc));
  Lock& lock = run.lock(it);
  const bool write = lock.writer == run.self();
  if (!write && lock.readers == 0) run.fail(Outcome::Kind::kMisuse, "unlock of a read-write lock that nobody holds", pc);
  if (write)
    lock.writer = kMaxThreads;
  else
    --lock.readers;
  run.memory().release_to(run.self(), write ? it : of_reader(it, run.self()));
  run.did(0, 0);
  run.wake(it, kMaxThreads);
  return 0;
}

}  // namespace
}  // namespace engine

using engine::Inside;
using engine::real;

extern "C" {
int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  Inside in;
  return in ? engine::lock_until(*in, mutex, 0, ENGINE_CALLER) : real().pthread_mutex_lock(mutex);
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* at) noexcept {
  Inside in;
  return in ? engine::lock_until(*in, mutex, engine::deadline(*in, at), ENGINE_CALLER)
            : real().pthread_mutex_timedlock(mutex, at);
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  Inside in;
  if (!in) return real().pthread_mutex_trylock(mutex);
  in->point(engine::step(engine::Kind::kLock, mutex, ENGINE_CALLER));
  return engine::take(*in, mutex);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  Inside in;
  if (!in) return real().pthread_mutex_unlock(mutex);
  in->point(engine::step(engine::Kind::kUnlock, mutex, ENGINE_CALLER));
  in->did(0, 0);
  engine::unlock(*in, mutex, ENGINE_CALLER);
  return 0;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  Inside in;
  return in ? engine::wait(*in, condition, mutex, 0, ENGINE_CALLER) : real().pthread_cond_wait(condition, mutex);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* at) {
  Inside in;
  return in ? engine::wait(*in, condition, mutex, engine::deadline(*in, at), ENGINE_CALLER)
            : real().pthread_cond_timedwait(condition, mutex, at);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* at) {
  Inside in;
  return in ? engine::wait(*in, condition, mutex, engine::deadline(*in, at), ENGINE_CALLER)
            : real().pthread_cond_clockwait(condition, mutex, clock, at);
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  Inside in;
  if (!in) return real().pthread_cond_signal(condition);
  in->point(engine::step(engine::Kind::kWake, condition, ENGINE_CALLER));
  in->did(0, in->wake(condition, 1));
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  Inside in;
  if (!in) return real().pthread_cond_broadcast(condition);
  in->point(engine::step(engine::Kind::kWake, condition, ENGINE_CALLER));
  in->did(0, in->wake(condition, engine::kMaxThreads));
  return 0;
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, false, true, ENGINE_CALLER) : real().pthread_rwlock_rdlock(lock);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, false, false, ENGINE_CALLER) : real().pthread_rwlock_tryrdlock(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, true, true, ENGINE_CALLER) : real().pthread_rwlock_wrlock(lock);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, true, false, ENGINE_CALLER) : real().pthread_rwlock_trywrlock(lock);
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::unlock_shared(*in, lock, ENGINE_CALLER) : real().pthread_rwlock_unlock(lock);
}
}
