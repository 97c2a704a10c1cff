// Calls that would stop the one real thread for ever, or let a controlled thread know or do what it must not: they end the process
// with their name. Code under test has engine::env, and pthread's locks, for these.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdlib>

#include "harness/engine/plain.hpp"
#include "harness/engine/refuse.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

/// libc's function, unless a controlled thread asks; for what libc keeps, code under test. Of all these, arguments and result fit into registers.
using Any = long (*)(long, long, long, long, long, long, long);

Any real_one(const char* name) { return reinterpret_cast<Any>(dlsym(RTLD_NEXT, name)); }

Any allowed(const char* name, const char* why, uintptr_t pc) {
  const Inside in;
  if (in && (why != kKept || instrumented(pc))) refuse(*in, why, name, pc);
  return real_one(name);
}

/// Who writes there may wait until others read. Not of the standard ones, to which code says what it does.
bool waits_for_readers(long file) {
  struct stat found;
  return file > STDERR_FILENO && fstat(static_cast<int>(file), &found) == 0 && (S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode));
}

}  // namespace
}  // namespace engine

// The declarations of libc say more than these definitions need, so they are made under other names.
#define ENGINE_TRIPWIRE(name, why)                                                                          \
  extern "C" long engine_trip_##name(long a, long b, long c, long d, long e, long f, long g) __asm__(#name); \
  extern "C" long engine_trip_##name(long a, long b, long c, long d, long e, long f, long g) {               \
    return engine::allowed(#name, why, ENGINE_CALLER)(a, b, c, d, e, f, g);                                                \
  }

/// What waits for others, or has no step where others would see it.
#define ENGINE_BLOCKS(name) ENGINE_TRIPWIRE(name, engine::kMustNotBlock)
ENGINE_BLOCKS(syscall)
ENGINE_BLOCKS(read)
ENGINE_BLOCKS(readv)
ENGINE_BLOCKS(preadv)
ENGINE_BLOCKS(preadv2)
ENGINE_BLOCKS(eventfd_read)
ENGINE_BLOCKS(__read_chk)
ENGINE_BLOCKS(mq_receive)
ENGINE_BLOCKS(mq_timedreceive)
ENGINE_BLOCKS(mq_send)
ENGINE_BLOCKS(mq_timedsend)
ENGINE_BLOCKS(msgrcv)
ENGINE_BLOCKS(msgsnd)
ENGINE_BLOCKS(semop)
ENGINE_BLOCKS(semtimedop)
ENGINE_BLOCKS(sem_wait)
ENGINE_BLOCKS(sem_trywait)
ENGINE_BLOCKS(sem_timedwait)
ENGINE_BLOCKS(sem_clockwait)
ENGINE_BLOCKS(sem_post)
ENGINE_BLOCKS(poll)
ENGINE_BLOCKS(ppoll)
ENGINE_BLOCKS(__poll_chk)
ENGINE_BLOCKS(__ppoll_chk)
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
ENGINE_BLOCKS(__recv_chk)
ENGINE_BLOCKS(__recvfrom_chk)
ENGINE_BLOCKS(send)
ENGINE_BLOCKS(sendto)
ENGINE_BLOCKS(sendmsg)
ENGINE_BLOCKS(sendmmsg)
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

/// The same, but not of each file.
#define ENGINE_WRITES(name)                                                                                       \
  extern "C" long engine_trip_##name(long file, long from, long count) __asm__(#name);                            \
  extern "C" long engine_trip_##name(long file, long from, long count) {                                          \
    const engine::Inside in;                                                                                      \
    if (in && engine::waits_for_readers(file)) engine::refuse(*in, engine::kMustNotBlock, #name, ENGINE_CALLER);  \
    return engine::real_one(#name)(file, from, count, 0, 0, 0, 0);                                                \
  }
ENGINE_WRITES(write)
ENGINE_WRITES(writev)

/// What libc keeps for all threads and nobody puts back. Code under test alone: libraries may know what they do.
#define ENGINE_KEPT(name) ENGINE_TRIPWIRE(name, engine::kKept)
ENGINE_KEPT(strtok)
ENGINE_KEPT(rand)
ENGINE_KEPT(srand)
ENGINE_KEPT(random)
ENGINE_KEPT(srandom)
ENGINE_KEPT(lrand48)
ENGINE_KEPT(mrand48)
ENGINE_KEPT(srand48)
ENGINE_KEPT(localtime)
ENGINE_KEPT(gmtime)
ENGINE_KEPT(ctime)
ENGINE_KEPT(asctime)
ENGINE_KEPT(setlocale)
ENGINE_KEPT(setenv)
ENGINE_KEPT(unsetenv)
ENGINE_KEPT(putenv)
ENGINE_KEPT(hsearch)
ENGINE_KEPT(getpwnam)
ENGINE_KEPT(getpwuid)
ENGINE_KEPT(gethostbyname)

/// What would be done to the real process or thread, of which controlled ones know nothing: their pthread_t are not libc's.
#define ENGINE_REFUSED(name) ENGINE_TRIPWIRE(name, "a controlled thread cannot have what this call gives: ")
ENGINE_REFUSED(fork)
ENGINE_REFUSED(system)
ENGINE_REFUSED(posix_spawn)
ENGINE_REFUSED(clock)
ENGINE_REFUSED(times)
ENGINE_REFUSED(timespec_get)
ENGINE_REFUSED(tss_create)
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
  if (in && (what == F_SETLKW || what == F_OFD_SETLKW)) engine::refuse(*in, engine::kMustNotBlock, "fcntl", ENGINE_CALLER);
  return engine::real_one("fcntl")(file, command, argument, 0, 0, 0, 0);  // of the engine, as far as that can see
}

/// Names decide nothing, so a controlled thread may have one: stories tell it.
long engine_trip_setname(long thread, long name) __asm__("pthread_setname_np");
long engine_trip_setname(long thread, long name) {
  if (engine::Inside in; in) {
    in->name_thread(engine::number_of(static_cast<unsigned long>(thread)), reinterpret_cast<const char*>(name));
    return 0;
  }
  return engine::real_one("pthread_setname_np")(thread, name, 0, 0, 0, 0, 0);
}
}
