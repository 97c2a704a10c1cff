#include "srcu/platform/irq.hpp"

#include "srcu/platform/env.hpp"

namespace srcu {

thread_local constinit IrqState irq_state{};

namespace {

// A work's state: one bit "queued", and above it how many threads run it (queued again by another thread, it may run
// there too).
constexpr uint32_t kQueued = 1, kRunner = 2;

}  // namespace

void irq_work_run(IrqWork& work) {
  // ORD(I1): whoever queues from now on queues anew, and what it did before is seen by run(). The addition carries the
  // queued bit into the count of runners in one step, so that irq_work_sync() sees no gap.
  work.state.fetch_add(kRunner - kQueued, acq_rel(Ord::I1));
  work.run(work.owner);
  // ORD(I2): pairs with the look in irq_work_sync(): what run() did is done.
  work.state.fetch_sub(kRunner, release(Ord::I2));
}

// ORD(I1): pairs with the step in irq_work_run(): a poster that finds the work queued has its post seen.
bool irq_work_claim(IrqWork& work) { return !(work.state.fetch_or(kQueued, acq_rel(Ord::I1)) & kQueued); }

void irq_work_queue(IrqWork& work) {
  if (!irq_work_claim(work)) return;
  // relaxed, all: the list is this thread's; a handler in between makes the exchange fail, and we try again
  IrqWork* first = irq_state.pending.load(relaxed);
  do {
    work.next = first;
  } while (!irq_state.pending.compare_exchange_weak(first, &work, relaxed, relaxed));
  signal_fence();
  if (!irqs_off() && !in_nmi()) run_irq_works();
}

void run_irq_works() {
  while (IrqWork* list = irq_state.pending.exchange(nullptr, relaxed)) {  // relaxed: as above
    while (list) {
      IrqWork* const next = list->next;  // before run(): it may be queued again at once
      irq_work_run(*list);
      list = next;
    }
  }
}

void irq_work_sync(IrqWork& work) {
  // ORD(I2): pairs with the end of run().
  while (work.state.load(acquire(Ord::I2)) != 0) env::sleep_ns(20'000);
}

}  // namespace srcu
