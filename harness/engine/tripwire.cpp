// Calls that would stop the one real thread for ever, or let a controlled thread know or do what it must not: they end the process
// with their name. Code under test has engine::env, and pthread's locks, for these.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>

#include <cstdarg>
#include <cstdlib>

#include "harness/engine/fatal.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

/// libc's function, unless a controlled thread asks. Of all these, arguments and result fit into registers.
using Any = long (*)(long, long, long, long, long, long, long);

Any allowed(const char* name, const char* why) {
  const Inside in;
  if (in) fatal(why, name);
  return reinterpret_cast<Any>(dlsym(RTLD_NEXT, name));
}

}  // namespace
}  // namespace engine

// The declarations of libc say more than these definitions need, so they are made under other names.
#define ENGINE_TRIPWIRE(name, why)                                                                          \
  extern "C" long engine_trip_##name(long a, long b, long c, long d, long e, long f, long g) __asm__(#name); \
  extern "C" long engine_trip_##name(long a, long b, long c, long d, long e, long f, long g) {               \
    return engine::allowed(#name, why)(a, b, c, d, e, f, g);                                                \
  }

/// What waits for others, or has no step where others would see it.
#define ENGINE_BLOCKS(name) ENGINE_TRIPWIRE(name, "a controlled thread must not block by itself: ")
ENGINE_BLOCKS(syscall)
ENGINE_BLOCKS(read)
ENGINE_BLOCKS(sem_wait)
ENGINE_BLOCKS(sem_trywait)
ENGINE_BLOCKS(sem_timedwait)
ENGINE_BLOCKS(sem_clockwait)
ENGINE_BLOCKS(sem_post)
ENGINE_BLOCKS(poll)
ENGINE_BLOCKS(ppoll)
ENGINE_BLOCKS(select)
ENGINE_BLOCKS(pselect)
ENGINE_BLOCKS(epoll_wait)
ENGINE_BLOCKS(epoll_pwait)
ENGINE_BLOCKS(epoll_pwait2)
ENGINE_BLOCKS(accept)
ENGINE_BLOCKS(accept4)
ENGINE_BLOCKS(connect)
ENGINE_BLOCKS(recv)
ENGINE_BLOCKS(recvfrom)
ENGINE_BLOCKS(recvmsg)
ENGINE_BLOCKS(recvmmsg)
ENGINE_BLOCKS(pause)
ENGINE_BLOCKS(sigwait)
ENGINE_BLOCKS(sigwaitinfo)
ENGINE_BLOCKS(sigtimedwait)
ENGINE_BLOCKS(sigsuspend)
ENGINE_BLOCKS(flock)
ENGINE_BLOCKS(lockf)
ENGINE_BLOCKS(waitpid)
ENGINE_BLOCKS(waitid)
ENGINE_BLOCKS(wait)
ENGINE_BLOCKS(wait3)
ENGINE_BLOCKS(wait4)
ENGINE_BLOCKS(pthread_barrier_wait)
ENGINE_BLOCKS(pthread_spin_lock)
ENGINE_BLOCKS(pthread_spin_trylock)
ENGINE_BLOCKS(pthread_spin_unlock)
ENGINE_BLOCKS(pthread_tryjoin_np)
ENGINE_BLOCKS(pthread_timedjoin_np)
ENGINE_BLOCKS(pthread_clockjoin_np)
ENGINE_BLOCKS(thrd_create)
ENGINE_BLOCKS(thrd_join)
ENGINE_BLOCKS(thrd_detach)
ENGINE_BLOCKS(thrd_sleep)
ENGINE_BLOCKS(thrd_yield)
ENGINE_BLOCKS(thrd_exit)
ENGINE_BLOCKS(mtx_lock)
ENGINE_BLOCKS(mtx_timedlock)
ENGINE_BLOCKS(mtx_trylock)
ENGINE_BLOCKS(mtx_unlock)
ENGINE_BLOCKS(cnd_wait)
ENGINE_BLOCKS(cnd_timedwait)
ENGINE_BLOCKS(cnd_signal)
ENGINE_BLOCKS(cnd_broadcast)
ENGINE_BLOCKS(call_once)

/// What would be done to the real process or thread, of which controlled ones know nothing: their pthread_t are not libc's.
#define ENGINE_REFUSED(name) ENGINE_TRIPWIRE(name, "a controlled thread cannot have what this call gives: ")
ENGINE_REFUSED(fork)
ENGINE_REFUSED(system)
ENGINE_REFUSED(posix_spawn)
ENGINE_REFUSED(clock)
ENGINE_REFUSED(times)
ENGINE_REFUSED(timespec_get)
ENGINE_REFUSED(pthread_exit)
ENGINE_REFUSED(pthread_cancel)
ENGINE_REFUSED(pthread_kill)
ENGINE_REFUSED(pthread_sigqueue)
ENGINE_REFUSED(pthread_getattr_np)
ENGINE_REFUSED(pthread_getname_np)
ENGINE_REFUSED(pthread_getcpuclockid)
ENGINE_REFUSED(pthread_getaffinity_np)
ENGINE_REFUSED(pthread_setaffinity_np)
ENGINE_REFUSED(pthread_getschedparam)
ENGINE_REFUSED(pthread_setschedparam)
ENGINE_REFUSED(pthread_setschedprio)

extern "C" {
/// Of these, one kind of call waits.
long engine_trip_fcntl(long file, long command, long argument) __asm__("fcntl");
long engine_trip_fcntl(long file, long command, long argument) {
  const engine::Inside in;
  const int what = static_cast<int>(command);  // above it are leftovers
  if (in && (what == F_SETLKW || what == F_OFD_SETLKW)) engine::fatal("a controlled thread must not block by itself: ", "fcntl");
  return engine::allowed("fcntl", "")(file, command, argument, 0, 0, 0, 0);  // of the engine, as far as that can see
}

/// Names decide nothing, so a controlled thread may have one: stories tell it.
long engine_trip_setname(long thread, long name) __asm__("pthread_setname_np");
long engine_trip_setname(long thread, long name) {
  if (engine::Inside in; in) {
    in->name_thread(engine::number_of(static_cast<unsigned long>(thread)), reinterpret_cast<const char*>(name));
    return 0;
  }
  return engine::allowed("pthread_setname_np", "")(thread, name, 0, 0, 0, 0, 0);
}
}
