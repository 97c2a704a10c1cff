#include "torture/kernel/timer.hpp"

#include "torture/kernel/cpu.hpp"
#include "torture/kernel/points.hpp"

namespace torture::kernel {

void TimerBase::insert(srcu::Work*& list, srcu::Work& work, uint64_t due_ns) {
  const IrqLock locked(lock);
  timer_start.hit();
  for (const srcu::Work* each = list; each; each = each->next) {
    if (each != &work) continue;
    if (due_ns < work.due_ns) work.due_ns = due_ns;
    return;
  }
  work.due_ns = due_ns;
  work.next = list;
  list = &work;
}

bool TimerBase::take(srcu::Work& work) {
  const IrqLock locked(lock);
  for (srcu::Work** list : {&timers_, &delayed_}) {
    for (srcu::Work** at = list; *at; at = &(*at)->next) {
      if (*at != &work) continue;
      *at = work.next;
      return true;
    }
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

bool TimerBase::empty() {
  const IrqLock locked(lock);
  return !timers_ && !delayed_;
}

}  // namespace torture::kernel
