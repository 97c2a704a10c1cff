#include "torture/kernel/pool.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <cstring>

#include "harness/base/errors.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/cpu.hpp"
#include "torture/kernel/points.hpp"
#include "torture/kernel/settings.hpp"

namespace torture::kernel {
namespace {

// To the real kernel a batch task: those never preempt who wakes them.
void be_patient() {
  const sched_param none{};
  if (sched_setscheduler(0, SCHED_BATCH, &none) != 0)
    throw harness::Broken(fmt::format("a worker cannot become a batch task: {}", std::strerror(errno)));
}

}  // namespace

Pool::Pool(Cpu& cpu)
    : cpu_(cpu),
      idle_timer_{[](void*) {}, nullptr},
      workers_{{fmt::format("kworker/{}:0", cpu.id), cpu}, {fmt::format("kworker/{}:1", cpu.id), cpu}} {}

void Pool::start() {
  stopping_ = false;
  for (Task& worker : workers_) threads_.emplace_back(worker.name, cpu_.pu(), [&] { work_until_stopped(worker); });
}

void Pool::stop() {
  {
    const IrqLock locked(lock);
    stopping_ = true;
    while (Task* const idle = first_idle()) {
      idle_.store(idle->next_idle, std::memory_order_relaxed);  // relaxed: under the lock, as all of it
      wake_up(*idle);
    }
  }
  for (harness::NamedThread& thread : threads_) thread.join();
}

Task* Pool::first_idle() const { return idle_.load(std::memory_order_relaxed); }  // relaxed: the lock is held

// The lock is held. The worker leaves the idle list by itself, as kick_pool()'s does.
void Pool::wake_idle_worker() {
  if (Task* const idle = first_idle()) wake_up(*idle);
}

// The lock is held.
void Pool::append(srcu::Work& work) {
  workqueue_queue.hit();
  work.next = nullptr;
  srcu::Work** at = &first_;
  while (*at) at = &(*at)->next;
  *at = &work;
  wake_idle_worker();
}

void Pool::insert(srcu::Work& work) {
  const IrqLock locked(lock);
  append(work);
}

bool Pool::insert_if_running(srcu::Work& work) {
  const IrqLock locked(lock);
  if (!work.running) return false;
  append(work);
  return true;
}

bool Pool::take(srcu::Work& work) {
  const IrqLock locked(lock);
  for (srcu::Work** at = &first_; *at; at = &(*at)->next) {
    if (*at != &work) continue;
    *at = work.next;
    return true;
  }
  return false;
}

bool Pool::running(srcu::Work& work) {
  const IrqLock locked(lock);
  return work.running;
}

bool Pool::idle() {
  const IrqLock locked(lock);
  unsigned sleeping = 0;
  for (const Task* each = first_idle(); each; each = each->next_idle) ++sleeping;
  return !first_ && busy_ == 0 && sleeping == kWorkers;
}

Task* Pool::idle_worker() {
  const IrqLock locked(lock);
  return first_idle();
}

// The first that does not run in the other worker. The lock is held.
srcu::Work* Pool::next_work() {
  for (srcu::Work** at = &first_; *at; at = &(*at)->next) {
    srcu::Work* const work = *at;
    if (work->running) continue;
    *at = work->next;
    return work;
  }
  return nullptr;
}

// Under the lock, as in the kernel, where the timer of workers that are too many is armed here.
void Pool::enter_idle(Task& self) {
  self.next_idle = first_idle();
  idle_.store(&self, std::memory_order_relaxed);  // relaxed: under the lock
  cpu_.base(BaseKind::kDeferrable).arm(idle_timer_, srcu::env::now_ns() + 300 * kJiffyNs);
}

void Pool::leave_idle(Task& self) {
  Task* const first = first_idle();
  if (first == &self) return idle_.store(self.next_idle, std::memory_order_relaxed);  // relaxed: under the lock
  for (Task* each = first; each; each = each->next_idle)
    if (each->next_idle == &self) return static_cast<void>(each->next_idle = self.next_idle);
}

void Pool::work_until_stopped(Task& self) {
  const OnCpu on_cpu(self);
  if (settings.patient_workers) be_patient();
  for (;;) {
    srcu::Work* work = nullptr;
    {
      const IrqLock locked(lock);
      work = next_work();
      if (work) {
        claim_run(*work);
        ++busy_;
        if (first_) wake_idle_worker();
      } else if (stopping_) {
        return;
      } else {
        enter_idle(self);
        about_to_sleep(self);
      }
    }
    if (!work) {
      schedule(self);
      const IrqLock locked(lock);
      leave_idle(self);
      continue;
    }
    workqueue_execute.hit();
    work->run(work->owner);
    const IrqLock locked(lock);
    --busy_;
    work->running = false;  // last: its owner may be gone the moment the lock is dropped
    if (first_) wake_idle_worker();
  }
}

}  // namespace torture::kernel
