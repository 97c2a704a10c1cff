#include "srcu/platform/env_native.hpp"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "srcu/platform/complain.hpp"
#include "srcu/srcu.h"

namespace srcu::env {
namespace {

struct KeepErrno {
  const int kept = errno;
  ~KeepErrno() { errno = kept; }
};

timespec to_timespec(uint64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

void* thread_body(void* body) {
  reinterpret_cast<void (*)()>(body)();
  return nullptr;
}

pthread_key_t exit_key;
bool exit_key_made;

// glibc keeps the first keys' values inside the thread itself; for later ones pthread_setspecific() allocates, which
// a signal handler must not.
constexpr pthread_key_t kKeysWithoutAllocation = 32;

// Before main(), so that the key is among the first, and no thread has to make it.
__attribute__((constructor)) void make_exit_key() {
  exit_key_made = pthread_key_create(&exit_key, [](void* hook) { reinterpret_cast<void (*)()>(hook)(); }) == 0;
}

}  // namespace

void futex_wait(std::atomic<uint32_t>& word, uint32_t expected, uint64_t timeout_ns) {
  const KeepErrno keep;
  const timespec timeout = to_timespec(timeout_ns);
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, timeout_ns ? &timeout : nullptr, nullptr, 0);
}

void futex_wake(std::atomic<uint32_t>& word) {
  const KeepErrno keep;
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 0x7fffffff, nullptr, nullptr, 0);
}

bool membarrier_register() {
  const KeepErrno keep;
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

// Who goes on without it frees what a fast reader still reads.
void membarrier() {
  const KeepErrno keep;
  constexpr uint64_t kLongest = 10'000'000;
  uint64_t pause = 10'000;
  while (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
    if (errno != ENOMEM)
      die("the kernel refuses membarrier(), which it had let this process register for (%s), and fast readers have no "
          "fences without it: let it through the seccomp filter, or install that before a fast domain's first use; in a "
          "forked child, call srcu_after_fork_child() first", strerror(errno));
    sleep_ns(pause);
    pause = pause < kLongest ? 2 * pause : kLongest;
  }
}

uint64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

void sleep_ns(uint64_t ns) {
  const KeepErrno keep;
  const timespec t = to_timespec(ns);
  // Not clock_nanosleep(), which is a cancellation point: a thread that ended here would keep the roles that it has.
  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, nullptr);
}

void yield() {
  const KeepErrno keep;
  sched_yield();
}

void* map(size_t bytes) {
  const KeepErrno keep;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  madvise(memory, bytes, MADV_NOHUGEPAGE);  // a few touched lines must not become two megabytes
  return memory;
}

void unmap(void* memory, size_t bytes) {
  const KeepErrno keep;
  munmap(memory, bytes);
}

bool start_thread(void (*body)(), const char* name) {
  const KeepErrno keep;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const bool started = pthread_create(&thread, nullptr, thread_body, reinterpret_cast<void*>(body)) == 0;
  if (started) {
    pthread_setname_np(thread, name);
    pthread_detach(thread);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

bool on_thread_exit(void (*hook)()) {
  return exit_key_made && exit_key < kKeysWithoutAllocation &&
         pthread_setspecific(exit_key, reinterpret_cast<void*>(hook)) == 0;
}

uint32_t process_id() { return static_cast<uint32_t>(syscall(SYS_getpid)); }
uint32_t thread_id() { return static_cast<uint32_t>(syscall(SYS_gettid)); }

bool thread_is_gone(uint32_t id) {
  const KeepErrno keep;
  if (syscall(SYS_tgkill, syscall(SYS_getpid), static_cast<pid_t>(id), 0) == 0 || errno != ESRCH) return false;
  srcu_fence();  // A full fence; on its way out of the kernel the thread executed one, too
  return true;
}

}  // namespace srcu::env
