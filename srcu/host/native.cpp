// The host that programs get: one helper thread for all domains. It sleeps without a time limit when nothing is queued.
#include <atomic>
#include <utility>

#include "srcu/host/host.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/platform/freeze.hpp"
#include "srcu/platform/spinlock.hpp"

namespace srcu {
namespace {

Spinlock lock{LockClass::kHost};  // guards all that follows, and the works' host members
Work* queue = nullptr;
Work** tail = &queue;       // where the next one goes: at the end, so that none is passed for ever
uint64_t sleeps_until = 0;  // 0: the helper looks at the queue before it sleeps
bool paused = false, busy = false, serving = false;
// There is a helper: set once it exists. relaxed throughout: nothing is read by it but that.
std::atomic<bool> started{false};
// Changes when the helper shall look again.
std::atomic<uint32_t> bell{0};

constexpr uint64_t kForEver = ~uint64_t{0};

void ring() {
  // ORD(W1): pairs with W2 in sleep_until(): who sees the bell rung takes the lock and finds the work anyhow; the label
  // keeps the bell behind what it announces.
  bell.fetch_add(1, release(Ord::W1));
  env::futex_wake(bell);
}

// The lock is held.
void take_off(Work** at) {
  Work& work = **at;
  *at = work.next;
  if (tail == &work.next) tail = at;
  work.queued = false;
}

// Takes the first work that is due off the queue; otherwise says when the next one is. The lock is held.
Work* take_due(uint64_t now, uint64_t& next_due) {
  next_due = kForEver;
  for (Work** at = &queue; *at; at = &(*at)->next) {
    Work* const work = *at;
    if (work->due_ns <= now) {
      take_off(at);
      work->running = busy = true;
      return work;
    }
    if (work->due_ns < next_due) next_due = work->due_ns;
  }
  return nullptr;
}

void sleep_until(uint64_t due, uint32_t heard) {
  if (due == kForEver) return env::futex_wait(bell, heard);
  const uint64_t now = env::now_ns();
  if (due > now) env::futex_wait(bell, heard, due - now);
}

// Of several threads that were started at a time, one serves.
bool appointed() {
  const IrqLocked locked(lock);
  return !std::exchange(serving, true);
}

void serve() {
  if (!appointed()) return;
  for (;;) {
    const uint32_t heard = bell.load(acquire(Ord::W2));  // ORD(W2): before the look at the queue
    Work* work = nullptr;
    uint64_t next_due = kForEver;
    {
      const IrqLocked locked(lock);
      if (!paused) work = take_due(env::now_ns(), next_due);
      sleeps_until = work ? 0 : next_due;
    }
    if (work) {
      work->run(work->owner);
      const IrqLocked locked(lock);
      work->running = busy = false;  // last: its owner may be gone the moment the lock is dropped
    } else {
      sleep_until(next_due, heard);
    }
  }
}

void queue_delayed_work(Work& work, uint64_t delay_ns) {
  const uint64_t due = delay_ns == 0 ? 0 : env::now_ns() + delay_ns;
  bool wake = false;
  const auto put = [&] {
    if (!work.queued) {
      work.queued = true;
      work.due_ns = due;
      work.next = nullptr;
      *tail = &work;
      tail = &work.next;
    } else if (due < work.due_ns) {
      work.due_ns = due;
    }
    wake = due < sleeps_until;
    if (wake) sleeps_until = 0;  // once is enough
  };
  locked_or_left(lock, put, [] {});  // the end of a fork queues all that there may be to do
  if (wake) ring();
}

void cancel_work(Work& work) {
  for (;;) {
    {
      const IrqLocked locked(lock);
      for (Work** at = &queue; *at && work.queued; at = &(*at)->next) {
        if (*at != &work) continue;
        take_off(at);
        break;
      }
      if (!work.running) return;
    }
    env::sleep_ns(50'000);
  }
}

// Two at a time may both start a thread: waiting for the other would be no help to a handler on top of it.
bool start() {
  // relaxed, all: as said above
  if (started.load(relaxed)) return true;
  if (!env::start_thread(serve, "srcu helper")) return started.load(relaxed);
  started.store(true, relaxed);
  return true;
}

void pause() {
  for (bool still = false; !still;) {
    {
      const IrqLocked locked(lock);
      paused = true;
      still = !busy;
    }
    if (!still) env::sleep_ns(50'000);
  }
}

void hold() {
  irq_off();
  lock.acquire_lock();
}

void let_go() {
  lock.drop();
  irq_on();
}

bool resume(bool in_child) {
  const bool promised = started.load(relaxed);  // relaxed: as in start()
  paused = false;
  if (in_child) {
    serving = false;
    started.store(false, relaxed);  // relaxed: as in start()
  }
  sleeps_until = 0;
  let_go();
  ring();
  return !promised || start();
}

}  // namespace

constinit const Host native_host = {"native", queue_delayed_work, cancel_work, irq_work_queue, irq_work_sync, holds_spinlock,
                                    start, pause, hold, let_go, resume};

}  // namespace srcu
