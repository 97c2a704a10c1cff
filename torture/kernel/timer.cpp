#include "torture/kernel/timer.hpp"

#include "torture/kernel/cpu.hpp"
#include "torture/kernel/points.hpp"

namespace torture::kernel {

void TimerBase::arm(Timer& timer, uint64_t due_ns) {
  const IrqLock locked(lock);
  timer_start.hit();
  // relaxed: who finds it armed needs nothing; it was taken from its list under a lock
  if (!std::atomic_ref(timer.queued).exchange(true, std::memory_order_relaxed)) insert(timers_, timer, due_ns);
}

void TimerBase::delay(srcu::Work& work, uint64_t due_ns) {
  const IrqLock locked(lock);
  timer_start.hit();
  insert(delayed_, work, due_ns);
}

// The lock is held.
void TimerBase::insert(srcu::Work*& list, srcu::Work& work, uint64_t due_ns) {
  work.due_ns = due_ns;
  work.next = list;
  list = &work;
}

bool TimerBase::take(srcu::Work& work) {
  const IrqLock locked(lock);
  for (srcu::Work** at = &delayed_; *at; at = &(*at)->next) {
    if (*at != &work) continue;
    *at = work.next;
    return true;
  }
  return false;
}

srcu::Work* TimerBase::take_due(srcu::Work*& list, uint64_t now_ns) {
  for (srcu::Work** at = &list; *at; at = &(*at)->next) {
    srcu::Work* const work = *at;
    if (work->due_ns > now_ns) continue;
    *at = work->next;
    return work;
  }
  return nullptr;
}

void TimerBase::expire(uint64_t now_ns) {
  for (;;) {
    srcu::Work *timer = nullptr, *work = nullptr;
    {
      const IrqLock locked(lock);
      timer = take_due(timers_, now_ns);
      if (timer) std::atomic_ref(timer->queued).store(false, std::memory_order_relaxed);  // relaxed: as in arm()
      if (!timer) work = take_due(delayed_, now_ns);
    }
    if (!timer && !work) return;
    timer_expire.hit();
    if (timer)
      timer->run(timer->owner);
    else
      queue_work(this_cpu(), *work);
  }
}

void TimerBase::move_to(TimerBase& other) {
  for (srcu::Work* TimerBase::*list : {&TimerBase::timers_, &TimerBase::delayed_}) {
    for (;;) {
      srcu::Work* work = nullptr;
      {
        const IrqLock locked(lock);
        work = take_due(this->*list, ~uint64_t{0});
      }
      if (!work) break;
      const IrqLock locked(other.lock);
      insert(other.*list, *work, work->due_ns);
    }
  }
}

}  // namespace torture::kernel
