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

// Forks that have the lock or want it. They wait for others' locks meanwhile, whose holders are examined: who may not wait turns
// away. relaxed, all: a spinning thread sees it some time.
std::atomic<uint32_t> forks_under_way{0};

void before_fork() {
  put(own_task.busy, peek(own_task.busy) + 1);
  signal_fence();
  forks_under_way.fetch_add(1, relaxed);  // relaxed: as just said
  prover_lock.acquire_lock();
}
void after_fork() {
  prover_lock.drop();
  signal_fence();
  put(own_task.busy, peek(own_task.busy) - 1);
}
void after_fork_in_parent() {
  forks_under_way.fetch_sub(1, relaxed);  // relaxed: as above
  after_fork();
}
void after_fork_in_child() {
  forks_under_way.store(0, relaxed);  // relaxed: other threads' are gone with them
  after_fork();
}

}  // namespace

Examination::Examination(Task& task, bool may_wait) : task_(task), entered_(peek(task.busy) == 0) {
  if (entered_) {
    const sigset_t set = blockable();
    pthread_sigmask(SIG_BLOCK, &set, &before_);
    put(task_.busy, 1U);
    signal_fence();
    // relaxed: as above
    const auto turns_away = [may_wait] { return !may_wait && forks_under_way.load(relaxed) != 0; };
    entered_ = prover_lock.acquire_unless(turns_away, Site::here());
    if (!entered_) let_signals();
  }
  if (!entered_) counters.skipped.fetch_add(1, relaxed);  // relaxed: a statistic
}

Examination::~Examination() {
  if (!entered_) return;
  prover_lock.drop();
  let_signals();
}

void Examination::let_signals() {
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
  const Examination examination(own_task, true);
  if (!forks) forks = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
  __atomic_store_n(&srcu_lockdep_running, ++epoch, __ATOMIC_RELAXED);  // relaxed: a switch
}

void srcu_lockdep_stop() {
  __atomic_store_n(&srcu_lockdep_running, 0U, __ATOMIC_RELAXED);  // relaxed: a switch
}

void srcu_lockdep_reset() {
  const bool on = srcu_lockdep_on();
  srcu_lockdep_stop();
  {
    const Examination examination(own_task, true);
    forget_nodes();
    forget_edges();
    forget_reports();
  }
  if (on) srcu_lockdep_start();
}

}  // extern "C"
