// pthread's locks for controlled threads. What a lock is is kept here, by its address, not in the lock's own bytes, so that one
// that was never initialised works as a zeroed one does, and nothing has to be undone after an execution.
#include <pthread.h>

#include <cerrno>

#include "harness/engine/crash.hpp"
#include "harness/engine/plain.hpp"
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

/// The step of a thread that uses a lock. To the checks it is an atomic access: the lock has to be there, ready, and not freed.
template <class Type>
void use(Run& run, Kind kind, Type* lock, uintptr_t pc) {
  must_be_writable(lock, sizeof *lock, pc);
  run.point(step(kind, lock, pc));
  run.memory().load(run.self(), lock, 1, Order::kRelaxed, pc);
}

/// It is made or unmade: a write to all of it.
template <class Type>
void change(Type* lock, uintptr_t pc) {
  if (!engaged) return;
  must_be_writable(lock, sizeof *lock, pc);
  plain_write(lock, sizeof *lock, pc);
}

/// It is new, whoever held what was there: in a forked child that may be somebody who is gone.
template <class Type>
void make(Type* lock, uintptr_t pc) {
  change(lock, pc);
  if (Inside in; in) in->forget_lock(lock);
}

template <class Type>
void unmake(Type* lock, const char* misuse, uintptr_t pc) {
  change(lock, pc);
  if (Inside in; in && in->forget_lock(lock)) in->fail(Outcome::Kind::kMisuse, misuse, pc);
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
  use(run, Kind::kLock, mutex, pc);
  if (run.lock(mutex).writer == run.self() && !recursive(mutex))
    run.fail(Outcome::Kind::kDeadlock, "a thread takes a mutex that it holds", pc);
  while (take(run, mutex) != 0)
    if (run.wait_for_owner(mutex, "a mutex", until_ns, pc) == Woken::kByTime) return ETIMEDOUT;
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
  use(run, Kind::kWait, condition, pc);
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

enum class Patience { kNone, kAny };

int lock_shared(Run& run, pthread_rwlock_t* it, bool write, Patience patience, uint64_t until_ns, uintptr_t pc) {
  use(run, Kind::kLock, it, pc);
  // Looked up each time: whoever gave it back may have destroyed it since.
  while (run.lock(it).writer != kMaxThreads || (write && run.lock(it).readers != 0)) {
    if (patience == Patience::kNone) return EBUSY;
    if (run.lock(it).writer == run.self()) return EDEADLK;
    if (run.wait_for_owner(it, "a read-write lock", until_ns, pc) == Woken::kByTime) return ETIMEDOUT;
  }
  if (write)
    run.lock(it).writer = run.self();
  else
    ++run.lock(it).readers;
  run.memory().acquire_from(run.self(), it);
  for (ThreadId reader = 0; write && reader < run.thread_count(); ++reader) run.memory().acquire_from(run.self(), of_reader(it, reader));
  run.did(0, 0);
  return 0;
}

int unlock_shared(Run& run, pthread_rwlock_t* it, uintptr_t pc) {
  use(run, Kind::kUnlock, it, pc);
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
int pthread_mutex_init(pthread_mutex_t* mutex, const pthread_mutexattr_t* attributes) noexcept {
  engine::make(mutex, ENGINE_CALLER);
  Inside in;
  return real().pthread_mutex_init(mutex, attributes);
}

int pthread_mutex_destroy(pthread_mutex_t* mutex) noexcept {
  engine::unmake(mutex, "a mutex that somebody holds is destroyed", ENGINE_CALLER);
  Inside in;
  return real().pthread_mutex_destroy(mutex);
}

int pthread_cond_init(pthread_cond_t* cond, const pthread_condattr_t* attributes) noexcept {
  engine::change(cond, ENGINE_CALLER);
  Inside in;
  return real().pthread_cond_init(cond, attributes);
}

int pthread_cond_destroy(pthread_cond_t* cond) noexcept {
  engine::change(cond, ENGINE_CALLER);
  Inside in;
  return real().pthread_cond_destroy(cond);
}

int pthread_rwlock_init(pthread_rwlock_t* rwlock, const pthread_rwlockattr_t* attributes) noexcept {
  engine::make(rwlock, ENGINE_CALLER);
  Inside in;
  return real().pthread_rwlock_init(rwlock, attributes);
}

int pthread_rwlock_destroy(pthread_rwlock_t* rwlock) noexcept {
  engine::unmake(rwlock, "a read-write lock that somebody holds is destroyed", ENGINE_CALLER);
  Inside in;
  return real().pthread_rwlock_destroy(rwlock);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  Inside in;
  return in ? engine::lock_until(*in, mutex, 0, ENGINE_CALLER) : real().pthread_mutex_lock(mutex);
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* at) noexcept {
  Inside in;
  return in ? engine::lock_until(*in, mutex, engine::deadline(*in, at), ENGINE_CALLER)
            : real().pthread_mutex_timedlock(mutex, at);
}

int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock, const timespec* at) noexcept {
  Inside in;
  return in ? engine::lock_until(*in, mutex, engine::deadline(*in, at), ENGINE_CALLER)
            : real().pthread_mutex_clocklock(mutex, clock, at);
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  Inside in;
  if (!in) return real().pthread_mutex_trylock(mutex);
  engine::use(*in, engine::Kind::kLock, mutex, ENGINE_CALLER);
  return engine::take(*in, mutex);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  Inside in;
  if (!in) return real().pthread_mutex_unlock(mutex);
  engine::use(*in, engine::Kind::kUnlock, mutex, ENGINE_CALLER);
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
  engine::use(*in, engine::Kind::kWake, condition, ENGINE_CALLER);
  in->did(0, in->wake(condition, 1));
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  Inside in;
  if (!in) return real().pthread_cond_broadcast(condition);
  engine::use(*in, engine::Kind::kWake, condition, ENGINE_CALLER);
  in->did(0, in->wake(condition, engine::kMaxThreads));
  return 0;
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, false, engine::Patience::kAny, 0, ENGINE_CALLER) : real().pthread_rwlock_rdlock(lock);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, false, engine::Patience::kNone, 0, ENGINE_CALLER) : real().pthread_rwlock_tryrdlock(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, true, engine::Patience::kAny, 0, ENGINE_CALLER) : real().pthread_rwlock_wrlock(lock);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, true, engine::Patience::kNone, 0, ENGINE_CALLER) : real().pthread_rwlock_trywrlock(lock);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock, const timespec* at) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, false, engine::Patience::kAny, engine::deadline(*in, at), ENGINE_CALLER)
            : real().pthread_rwlock_timedrdlock(lock, at);
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock, const timespec* at) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, false, engine::Patience::kAny, engine::deadline(*in, at), ENGINE_CALLER)
            : real().pthread_rwlock_clockrdlock(lock, clock, at);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock, const timespec* at) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, true, engine::Patience::kAny, engine::deadline(*in, at), ENGINE_CALLER)
            : real().pthread_rwlock_timedwrlock(lock, at);
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock, const timespec* at) noexcept {
  Inside in;
  return in ? engine::lock_shared(*in, lock, true, engine::Patience::kAny, engine::deadline(*in, at), ENGINE_CALLER)
            : real().pthread_rwlock_clockwrlock(lock, clock, at);
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  Inside in;
  return in ? engine::unlock_shared(*in, lock, ENGINE_CALLER) : real().pthread_rwlock_unlock(lock);
}
}
