// On and off, the prover's own lock, and fork.
#include <pthread.h>
#include <signal.h>

#include "srcu/lockdep/held.hpp"

uint32_t srcu_lockdep_running = 0;

namespace srcu::lockdep {

Spinlock prover_lock;

namespace {

// All signals but those that a fault or a trap raises: blocked, these would end the process.
sigset_t blockable() {
  sigset_t set;
  sigfillset(&set);
  for (const int raised : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
    sigdelset(&set, raised);
  return set;
}

void before_fork() {
  put(own_task.busy, peek(own_task.busy) + 1);
  signal_fence();
  prover_lock.acquire_lock();
}
void after_fork() {
  prover_lock.drop();
  signal_fence();
  put(own_task.busy, peek(own_task.busy) - 1);
}

}  // namespace

Examination::Examination(Task& task) : task_(task), entered_(peek(task.busy) == 0) {
  if (!entered_) {
    counters.skipped.fetch_add(1, relaxed);  // relaxed: a statistic
    return;
  }
  const sigset_t set = blockable();
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  put(task_.busy, 1U);
  signal_fence();
  prover_lock.acquire_lock();
}

Examination::~Examination() {
  if (!entered_) return;
  prover_lock.drop();
  signal_fence();
  put(task_.busy, 0U);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace srcu::lockdep

extern "C" {

using namespace srcu::lockdep;

void srcu_lockdep_start() {
  static uint32_t epoch = 0;
  static bool forks = false;
  const Examination examination(own_task);
  if (!forks) forks = pthread_atfork(before_fork, after_fork, after_fork) == 0;
  __atomic_store_n(&srcu_lockdep_running, ++epoch, __ATOMIC_RELAXED);  // relaxed: a switch
}

void srcu_lockdep_stop() {
  __atomic_store_n(&srcu_lockdep_running, 0U, __ATOMIC_RELAXED);  // relaxed: a switch
}

void srcu_lockdep_reset() {
  const bool on = srcu_lockdep_on();
  srcu_lockdep_stop();
  {
    const Examination examination(own_task);
    forget_nodes();
    forget_edges();
    forget_reports();
  }
  if (on) srcu_lockdep_start();
}

}  // extern "C"
