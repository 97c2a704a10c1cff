#include "torture/kernel/host.hpp"

#include "srcu/core/usage.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/cpu.hpp"
#include "torture/kernel/points.hpp"

namespace torture::kernel {
namespace {

// The pending bit: true if it was ours to set. acq_rel: who finds it set has its request seen by the run that clears it.
bool claim(srcu::Work& work) { return !std::atomic_ref(work.queued).exchange(true, std::memory_order_acq_rel); }

// The CPU on which it waited for its time; null if it did on none.
Cpu* take_from_timers(srcu::Work& work) {
  for (unsigned id = 0; id < settings.cpus; ++id)
    if (cpu(id).base(BaseKind::kGlobal).take(work)) return &cpu(id);
  return nullptr;
}

void queue_delayed_work(srcu::Work& work, uint64_t delay_ns) {
  Cpu& here = this_cpu();
  if (!claim(work)) {
    // mod_delayed_work(): waiting for its time, it comes earlier
    if (delay_ns == 0 && take_from_timers(work)) queue_work(here, work);
  } else if (delay_ns == 0) {
    queue_work(here, work);
  } else {
    here.base(BaseKind::kGlobal).delay(work, srcu::env::now_ns() + delay_ns);
  }
}

bool take(srcu::Work& work) {
  if (take_from_timers(work)) return true;
  for (unsigned id = 0; id < settings.cpus; ++id)
    if (cpu(id).pool.take(work)) return true;
  return false;
}

void cancel_work(srcu::Work& work) {
  for (;;) {
    if (take(work)) std::atomic_ref(work.queued).store(false, std::memory_order_relaxed);  // relaxed: the lock was taken
    const bool queued = std::atomic_ref(work.queued).load(std::memory_order_acquire);  // pairs with claim_run()
    Cpu* const last = last_cpu(work);
    if (!queued && (!last || !last->pool.running(work))) return;
    srcu::env::sleep_ns(50'000);
  }
}

// This thread's, and of handlers on it alone.
thread_local constinit IrqWorks at_self_ipi;

// The interrupt that a CPU sends itself comes as soon as interrupts are on in this thread, which is where the CPU is. A hard
// one on PREEMPT_RT, too (IRQ_WORK_INIT_HARD): what is queued there is what may not wait for a thread.
void on_self_ipi(void*) {
  if (at_self_ipi.empty()) return;
  srcu::irq_off();
  srcu_lockdep_hardirq_enter();
  while (at_self_ipi.take(srcu::irq_work_run)) {
  }
  srcu_lockdep_hardirq_exit();
  srcu::irq_on();
}
thread_local constinit srcu::IrqWork self_ipi{on_self_ipi, nullptr};

// Runs in a hard interrupt: this one, or the CPU's next tick.
void queue_irq_work(srcu::IrqWork& work) {
  irq_work_queued.hit();
  if (!srcu::irq_work_claim(work)) return;
  if (!settings.self_ipi) return this_cpu().run_at_next_tick(work);
  at_self_ipi.push(work);
  srcu::irq_work_queue(self_ipi);
}

[[noreturn]] void no_fork() { srcu::die("the kernel model does not fork: use domains on the native host there"); }

}  // namespace

constinit const srcu::Host kernel_host = {
    .name = "kernel",
    .queue_delayed_work = queue_delayed_work,
    .cancel_work = cancel_work,
    .queue_irq_work = queue_irq_work,
    .sync_irq_work = srcu::irq_work_sync,
    .holds_lock = holds_what_posting_takes,
    .start = [] { return true; },
    .pause = [] { no_fork(); },
    .hold = [] { no_fork(); },
    .let_go = [] { no_fork(); },
    .resume = [](bool) -> bool { no_fork(); },
};

void put_deferral_on_kernel() { srcu::set_defer_host(kernel_host); }

void put_on_kernel(srcu_struct* ssp) { srcu::usage_of(ssp).host = &kernel_host; }

}  // namespace torture::kernel
