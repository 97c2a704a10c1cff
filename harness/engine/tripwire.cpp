// Calls that would stop the one real thread for ever, or let a controlled thread know what it must not: they end the process with
// their name. Code under test has engine::env, and pthread's locks, for these.
#include <dlfcn.h>
#include <semaphore.h>

#include <cstdarg>
#include <cstdlib>

#include "harness/engine/fatal.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

/// libc's function `name`, unless a controlled thread asks. Of all these, arguments and result fit into registers.
using Any = long (*)(long, long, long, long, long, long, long);

Any allowed(const char* name) {
  const Inside in;
  if (in) fatal("a controlled thread must not block by itself: ", name);
  return reinterpret_cast<Any>(dlsym(RTLD_NEXT, name));
}

}  // namespace
}  // namespace engine

// The declarations of libc say more than these definitions need, so they are made under other names.
#define ENGINE_TRIPWIRE(name)                                                                               \
  extern "C" long engine_trip_##name(long a, long b, long c, long d, long e, long f, long g) __asm__(#name); \
  extern "C" long engine_trip_##name(long a, long b, long c, long d, long e, long f, long g) {               \
    return engine::allowed(#name)(a, b, c, d, e, f, g);                                                     \
  }

ENGINE_TRIPWIRE(syscall)
ENGINE_TRIPWIRE(read)
ENGINE_TRIPWIRE(sem_wait)
ENGINE_TRIPWIRE(sem_timedwait)
ENGINE_TRIPWIRE(sem_clockwait)
ENGINE_TRIPWIRE(poll)
ENGINE_TRIPWIRE(ppoll)
ENGINE_TRIPWIRE(select)
ENGINE_TRIPWIRE(pselect)
ENGINE_TRIPWIRE(epoll_wait)
ENGINE_TRIPWIRE(accept)
ENGINE_TRIPWIRE(recv)
ENGINE_TRIPWIRE(pause)
ENGINE_TRIPWIRE(sigwait)
ENGINE_TRIPWIRE(sigsuspend)
ENGINE_TRIPWIRE(flock)
ENGINE_TRIPWIRE(waitpid)
ENGINE_TRIPWIRE(wait)
ENGINE_TRIPWIRE(pthread_barrier_wait)
ENGINE_TRIPWIRE(pthread_spin_lock)
ENGINE_TRIPWIRE(pthread_exit)
