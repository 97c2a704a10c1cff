// The rest of what a controlled thread may ask of the system: threads, static variables; and what it must not, since it would
// stop the only thread that there really is.
#include <cxxabi.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <string>

#include "harness/engine/fatal.hpp"
#include "harness/engine/plain.hpp"
#include "harness/engine/real.hpp"
#include "harness/engine/refuse.hpp"
#include "harness/engine/renew.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

/// One thread runs `once`, the others wait for it. The byte says 0: nobody came, 2: somebody is at it, 1: done.
bool first_to_come(Run& run, char* byte, uintptr_t pc) {
  run.point({Kind::kLock, Order::kAcquire, 1, reinterpret_cast<uintptr_t>(byte), pc});
  while (byte[1] == 2) run.block(byte, "an initialisation");
  run.memory().acquire_from(run.self(), byte);  // also from one that threw
  if (byte[0] == 1) return false;
  will_write(reinterpret_cast<uintptr_t>(byte), 2);
  byte[1] = 2;
  return true;
}

void initialised(Run& run, char* byte, bool done, uintptr_t pc) {
  run.point({Kind::kUnlock, Order::kRelease, 1, reinterpret_cast<uintptr_t>(byte), pc});
  constexpr Order order = Order::kRelease;  // compilers look at this byte with an acquire load before they call anybody
  if (done) run.memory().store(run.self(), byte, 1, 1, order, pc);
  run.memory().release_to(run.self(), byte);  // nothing is buffered any more
  byte[1] = 0;
  run.wake(byte, kMaxThreads);
}

}  // namespace
}  // namespace engine

using engine::Inside;
using engine::real;

extern "C" {

int pthread_create(pthread_t* handle, const pthread_attr_t* attributes, void* (*body)(void*), void* argument) noexcept {
  Inside in;
  if (!in) return real().pthread_create(handle, attributes, body, argument);
  int detached = PTHREAD_CREATE_JOINABLE;
  if (attributes) pthread_attr_getdetachstate(attributes, &detached);
  if (in->fault(engine::kNoMemory)) return EAGAIN;
  const auto id = in->start(body, argument, detached == PTHREAD_CREATE_DETACHED, ENGINE_CALLER);
  if (id == engine::kMaxThreads) engine::refuse(*in, engine::kTooManyThreads, "pthread_create", ENGINE_CALLER);
  engine::will_give(*in, handle, sizeof *handle, ENGINE_CALLER);
  *handle = engine::kFirstHandle + id;
  return 0;
}

int pthread_join(pthread_t handle, void** result) {
  Inside in;
  if (!in) return real().pthread_join(handle, result);
  const auto id = engine::number_of(handle);
  if (id >= in->thread_count()) return ESRCH;
  if (in->thread(id).detached) in->fail(engine::Outcome::Kind::kMisuse, "a join of a thread that was joined or detached", ENGINE_CALLER);
  in->join(id, ENGINE_CALLER);
  if (!result) return 0;
  engine::will_give(*in, result, sizeof *result, ENGINE_CALLER);
  *result = in->thread(id).result;
  return 0;
}

int pthread_detach(pthread_t handle) noexcept {
  Inside in;
  if (!in) return real().pthread_detach(handle);
  const auto id = engine::number_of(handle);
  if (id >= in->thread_count()) return ESRCH;
  if (in->thread(id).detached) in->fail(engine::Outcome::Kind::kMisuse, "a thread that was joined or detached is detached", ENGINE_CALLER);
  in->thread(id).detached = true;
  return 0;
}

pthread_t pthread_self() noexcept {
  Inside in;
  return in ? engine::kFirstHandle + in->self() : real().pthread_self();
}

int pthread_once(pthread_once_t* control, void (*body)()) {
  auto* const byte = reinterpret_cast<char*>(control);
  {
    Inside in;
    // What a library does once it does once in the process, not in each execution: it is no step, in the first execution either.
    if (!in || !engine::instrumented(ENGINE_CALLER)) return real().pthread_once(control, body);
    if (!engine::first_to_come(*in, byte, ENGINE_CALLER)) return 0;
  }
  const auto came_to_an_end = [byte](bool done, uintptr_t pc) {
    Inside in;
    engine::initialised(*in, byte, done, pc);
  };
  try {
    body();
  } catch (...) {  // then nobody has done it, and the next one tries
    came_to_an_end(false, ENGINE_CALLER);
    throw;
  }
  came_to_an_end(true, ENGINE_CALLER);
  return 0;
}

int sched_yield() noexcept {
  Inside in;
  if (!in) return real().sched_yield();
  in->yield({engine::Kind::kYield, engine::Order::kRelaxed, 0, 0, ENGINE_CALLER});
  return 0;
}

/// \name Static variables of functions: libstdc++'s would block, and would not be put back after an execution. Outside of executions real
/// threads come here: who takes byte 1 (acquire) comes after whoever gave it back (release), and so sees byte 0; who finds byte 0 set
/// without a call (acquire, by the compiler) sees the variable (release).
/// @{
int __cxa_guard_acquire(__cxxabiv1::__guard* guard) {
  auto* const byte = reinterpret_cast<char*>(guard);
  Inside in;
  if (in) return engine::first_to_come(*in, byte, ENGINE_CALLER);
  while (__atomic_exchange_n(&byte[1], 2, __ATOMIC_ACQUIRE) == 2) real().sched_yield();
  if (byte[0] == 0) return 1;
  __atomic_store_n(&byte[1], 0, __ATOMIC_RELEASE);
  return 0;
}

void __cxa_guard_release(__cxxabiv1::__guard* guard) noexcept {
  auto* const byte = reinterpret_cast<char*>(guard);
  Inside in;
  if (in) return engine::initialised(*in, byte, true, ENGINE_CALLER);
  __atomic_store_n(&byte[0], 1, __ATOMIC_RELEASE);
  __atomic_store_n(&byte[1], 0, __ATOMIC_RELEASE);
}

void __cxa_guard_abort(__cxxabiv1::__guard* guard) noexcept {
  auto* const byte = reinterpret_cast<char*>(guard);
  Inside in;
  if (in) return engine::initialised(*in, byte, false, ENGINE_CALLER);
  __atomic_store_n(&byte[1], 0, __ATOMIC_RELEASE);
}
/// @}

int __cxa_thread_atexit_impl(void (*)(void*), void*, void*);

/// Destructors of thread_local variables: libc's list of them would be the parked thread's, which never ends.
int __cxa_thread_atexit(void (*destroy)(void*), void* object, void* dso) noexcept {
  Inside in;
  if (!in) return __cxa_thread_atexit_impl(destroy, object, dso);
  in->thread(in->self()).at_exit.emplace_back(destroy, object);
  return 0;
}

void abort() noexcept {
  Inside in;
  if (in) in->fail(engine::Outcome::Kind::kCrash, "abort() was called", ENGINE_CALLER);
  signal(SIGABRT, SIG_DFL);
  raise(SIGABRT);
  _exit(134);
}

[[noreturn]] void __assert_fail(const char* expression, const char* file, unsigned line, const char*) noexcept {
  Inside in;
  if (in) in->fail(engine::Outcome::Kind::kCheck, std::string("assert(") + expression + ")", ENGINE_CALLER);
  dprintf(2, "%s:%u: assert(%s)\n", file, line, expression);
  std::abort();
}
}
