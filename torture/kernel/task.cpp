#include "torture/kernel/task.hpp"

#include "srcu/platform/env.hpp"
#include "torture/kernel/cpu.hpp"
#include "torture/kernel/points.hpp"

namespace torture::kernel {
namespace {

thread_local Task* current = nullptr;

}  // namespace

OnCpu::OnCpu(Task& task) : member_(task.name.c_str()) { current = &task; }
OnCpu::~OnCpu() { current = nullptr; }

Task* current_task() { return current; }
Cpu& Task::where() const { return cpu.online() ? cpu : kernel::cpu(0); }
Cpu& this_cpu() { return current ? current->where() : cpu(0); }

void wake_up(Task& task) {
  {
    const IrqLock pi(task.pi_lock);
    Cpu& cpu = task.where();
    const IrqLock rq(cpu.rq_lock);
    sched_wakeup.hit();
    cpu.account_pressure();
    task.awake.store(1, std::memory_order_release);  // pairs with schedule(): what was made for the task is seen
  }
  srcu::env::futex_wake(task.awake);
}

void about_to_sleep(Task& self) {
  // seq_cst: before the look at what is waited for, whose maker looks at this word afterwards, under a lock
  self.awake.store(0, std::memory_order_seq_cst);
}

void schedule(Task& self, uint64_t timeout_ns) {
  {
    Cpu& cpu = self.where();
    const IrqLock rq(cpu.rq_lock);
    sched_switch.hit();
    cpu.account_pressure();
  }
  if (!self.awake.load(std::memory_order_acquire)) srcu::env::futex_wait(self.awake, 0, timeout_ns);
  self.awake.store(1, std::memory_order_relaxed);  // relaxed: this thread's own from now on
}

}  // namespace torture::kernel
