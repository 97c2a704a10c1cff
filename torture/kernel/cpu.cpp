#include "torture/kernel/cpu.hpp"

#include <fmt/format.h>

#include "srcu/platform/env.hpp"

namespace torture::kernel {

Settings settings;

namespace {

std::unique_ptr<Cpu> cpus[kMostCpus];

constexpr uint32_t kQueued = 1, kRunner = 2;  // an IrqWork's state, as srcu/platform/irq.cpp has it

}  // namespace

Cpu& cpu(unsigned id) { return *cpus[id]; }

Cpu::Cpu(unsigned id) : id(id), pool(*this), ticker_(fmt::format("tick/{}", id), *this) {
  pressure_timer_ = {[](void* self) {
                       // relaxed: whether to arm; the base's lock orders the rest
                       static_cast<Cpu*>(self)->pressure_armed_.store(false, std::memory_order_relaxed);
                     },
                     this};
}

void Cpu::start() {
  pool.start();
  thread_.emplace(ticker_.name, pu(), [this] { tick_until_stopped(); });
}

void Cpu::stop() {
  pool.stop();
  stopping_.store(true, std::memory_order_relaxed);  // relaxed: a flag
  thread_->join();
}

std::optional<unsigned> Cpu::pu() const {
  return settings.pus.empty() ? std::nullopt : std::optional(settings.pus[id % settings.pus.size()]);
}

bool Cpu::quiet() {
  return pool.idle() && !pressure_armed_.load(std::memory_order_relaxed);  // relaxed: as below
}

void Cpu::account_pressure() {
  if (pressure_armed_.exchange(true, std::memory_order_relaxed)) return;  // relaxed: the base's lock orders the rest
  base(BaseKind::kGlobal).arm(pressure_timer_, srcu::env::now_ns() + 2 * kJiffyNs);
}

// Counts as queued meanwhile, as irq_work_sync() has it: a work is on one list, and its owner waits for it.
void Cpu::run_at_next_tick(srcu::IrqWork& work) {
  // acq_rel: as in irq_work_queue()
  if (work.state.fetch_or(kQueued, std::memory_order_acq_rel) & kQueued) return;
  srcu::IrqWork* first = at_next_tick_.load(std::memory_order_relaxed);  // relaxed: the exchange confirms it
  do {
    work.next = first;
    // release: pairs with tick()'s acquire
  } while (!at_next_tick_.compare_exchange_weak(first, &work, std::memory_order_release, std::memory_order_relaxed));
}

// A hard interrupt, which looks at the runqueue; behind it softirqs.
void Cpu::tick() {
  srcu::irq_off();
  srcu_lockdep_hardirq_enter();
  rq_lock.lock();
  rq_lock.unlock();
  // acquire: pairs with run_at_next_tick()
  for (srcu::IrqWork* work = at_next_tick_.exchange(nullptr, std::memory_order_acquire); work;) {
    srcu::IrqWork* const next = work->next;
    // acq_rel, both: as where a work runs; it is never idle in between, or its owner might go
    work->state.fetch_add(kRunner - kQueued, std::memory_order_acq_rel);
    srcu::irq_work_queue(*work);  // and runs when interrupts are on again
    work->state.fetch_sub(kRunner, std::memory_order_acq_rel);
    work = next;
  }
  srcu_lockdep_hardirq_exit();
  srcu::irq_on();
  srcu_lockdep_softirq_enter();
  const uint64_t now = srcu::env::now_ns();
  for (TimerBase& base : bases) base.expire(now);
  srcu_lockdep_softirq_exit();
}

void Cpu::tick_until_stopped() {
  const OnCpu on_cpu(ticker_);
  while (!stopping_.load(std::memory_order_relaxed)) {  // relaxed: a flag
    tick();
    srcu::env::sleep_ns(kJiffyNs);
  }
}

void queue_work(Cpu& cpu, srcu::Work& work) {
  auto* const last = static_cast<Cpu*>(__atomic_load_n(&work.place, __ATOMIC_ACQUIRE));  // pairs with the store below
  if (last && last != &cpu && last->pool.insert_if_running(work)) return;
  __atomic_store_n(&work.place, &cpu, __ATOMIC_RELEASE);
  cpu.pool.insert(work);
}

void claim_run(srcu::Work& work) {
  work.running = true;
  // release: who queues it from now on finds it unqueued, and running
  std::atomic_ref(work.queued).store(false, std::memory_order_release);
}

Machine::Machine() {
  srcu::lock_watch = &watch_for_deadlocks;
  for (unsigned id = 0; id < settings.cpus; ++id) cpus[id] = std::make_unique<Cpu>(id);
  for (unsigned id = 0; id < settings.cpus; ++id) cpus[id]->start();
}

Machine::~Machine() {
  for (unsigned id = 0; id < settings.cpus; ++id) cpus[id]->stop();
  for (auto& each : cpus) each.reset();
  srcu::lock_watch = nullptr;
}

}  // namespace torture::kernel
