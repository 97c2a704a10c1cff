// What the engine refuses: each of these ends the process, with the name of the call.
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/engine/test.hpp"

namespace {

sem_t semaphore;
sigset_t signals;
cpu_set_t cpus;
mtx_t mutex;
epoll_event event;
pthread_attr_t attributes;
char bytes[8];

}  // namespace

#define REFUSED(name, ...) \
  ENGINE_TEST(broken_call_##name, "Refused.") { test.thread([] { [[maybe_unused]] auto got = (__VA_ARGS__, 0); }); }

REFUSED(read, (void)!read(0, bytes, 1))
REFUSED(sem_trywait, sem_trywait(&semaphore))
REFUSED(sem_post, sem_post(&semaphore))
REFUSED(epoll_pwait, epoll_pwait(-1, &event, 1, 0, nullptr))
REFUSED(connect, connect(-1, nullptr, 0))
REFUSED(recvfrom, (void)!recvfrom(-1, bytes, 1, 0, nullptr, nullptr))
REFUSED(recvmsg, (void)!recvmsg(-1, nullptr, 0))
REFUSED(sigwaitinfo, sigwaitinfo(&signals, nullptr))
REFUSED(sigtimedwait, sigtimedwait(&signals, nullptr, nullptr))
REFUSED(waitid, waitid(P_ALL, 0, nullptr, WEXITED))
REFUSED(fcntl, fcntl(-1, F_SETLKW, nullptr))
REFUSED(pthread_tryjoin_np, pthread_tryjoin_np(pthread_self(), nullptr))
REFUSED(thrd_yield, thrd_yield())
REFUSED(mtx_lock, mtx_lock(&mutex))
REFUSED(fork, fork())
REFUSED(system, (void)!system("true"))
REFUSED(clock, clock())
REFUSED(times, times(nullptr))
REFUSED(pthread_kill, pthread_kill(pthread_self(), 0))
REFUSED(pthread_cancel, pthread_cancel(pthread_self()))
REFUSED(pthread_setaffinity_np, pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus))
REFUSED(pthread_getattr_np, pthread_getattr_np(pthread_self(), &attributes))
