// What the engine refuses: each of these ends the process, with the name of the call.
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <search.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <cstring>

#include "harness/engine/test.hpp"

namespace {

sem_t semaphore;
sigset_t signals;
cpu_set_t cpus;
mtx_t mutex;
epoll_event event;
pthread_attr_t attributes;
char bytes[8];
iovec vector{bytes, 1};
eventfd_t number;
timespec never;
sembuf operation;
msghdr message;
mmsghdr messages;
tss_t specific;
int pipe_ends[2] = {-1, -1};
[[maybe_unused]] const int got_pipe = pipe(pipe_ends);

}  // namespace

#define REFUSED(name, ...) \
  ENGINE_TEST(broken_call_##name, "Refused.") { test.thread([] { [[maybe_unused]] auto got = (__VA_ARGS__, 0); }); }

REFUSED(strtok, strtok(bytes, ","))
REFUSED(rand, rand())
REFUSED(srand, srand(1))
REFUSED(random, random())
REFUSED(srandom, srandom(1))
REFUSED(lrand48, lrand48())
REFUSED(mrand48, mrand48())
REFUSED(srand48, srand48(1))
REFUSED(localtime, localtime(&never.tv_sec))
REFUSED(gmtime, gmtime(&never.tv_sec))
REFUSED(ctime, ctime(&never.tv_sec))
REFUSED(asctime, asctime(nullptr))
REFUSED(setlocale, setlocale(LC_ALL, nullptr))
REFUSED(setenv, setenv("A", "B", 1))
REFUSED(unsetenv, unsetenv("A"))
REFUSED(putenv, putenv(bytes))
REFUSED(hsearch, hsearch({}, FIND))
REFUSED(getpwnam, getpwnam("nobody"))
REFUSED(getpwuid, getpwuid(0))
REFUSED(gethostbyname, gethostbyname("localhost"))
REFUSED(read, (void)!read(0, bytes, 1))
REFUSED(readv, (void)!readv(0, &vector, 1))
REFUSED(preadv, (void)!preadv(0, &vector, 1, 0))
REFUSED(preadv2, (void)!preadv2(0, &vector, 1, 0, 0))
REFUSED(eventfd_read, eventfd_read(0, &number))
REFUSED(mq_receive, (void)mq_receive(-1, bytes, 1, nullptr))
REFUSED(mq_timedreceive, (void)mq_timedreceive(-1, bytes, 1, nullptr, &never))
REFUSED(mq_send, mq_send(-1, bytes, 1, 0))
REFUSED(mq_timedsend, mq_timedsend(-1, bytes, 1, 0, &never))
REFUSED(msgrcv, (void)msgrcv(-1, bytes, 1, 0, 0))
REFUSED(msgsnd, msgsnd(-1, bytes, 1, 0))
REFUSED(semop, semop(-1, &operation, 1))
REFUSED(semtimedop, semtimedop(-1, &operation, 1, &never))
REFUSED(send, (void)send(-1, bytes, 1, 0))
REFUSED(sendto, (void)sendto(-1, bytes, 1, 0, nullptr, 0))
REFUSED(sendmsg, (void)sendmsg(-1, &message, 0))
REFUSED(sendmmsg, sendmmsg(-1, &messages, 1, 0))
REFUSED(write, (void)!write(pipe_ends[1], bytes, 1))
REFUSED(writev, (void)!writev(pipe_ends[1], &vector, 1))
REFUSED(tss_create, tss_create(&specific, nullptr))
REFUSED(sem_wait, sem_wait(&semaphore))
REFUSED(sem_timedwait, sem_timedwait(&semaphore, &never))
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

ENGINE_TEST(writes_to_files, "What does not wait for others may be written.") {
  test.thread([] {
    static const int nowhere = open("/dev/null", O_WRONLY);
    engine::check(write(nowhere, bytes, 1) == 1, "nothing was written");
  });
}

ENGINE_TEST(broken_loop, "Ended, since it would never come to a step.") {
  test.thread([] {
    for (;;) asm volatile("");
  });
}

ENGINE_TEST(broken_too_many_threads, "There are as many as the engine has places for.") {
  test.thread([] {
    for (int i = 0; i < 70; ++i) {
      pthread_t thread;
      if (pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr) == 0) pthread_join(thread, nullptr);
    }
  });
}
