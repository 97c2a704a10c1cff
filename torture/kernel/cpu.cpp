#include "torture/kernel/cpu.hpp"

#include <fmt/format.h>

#include "srcu/defer/strategy.hpp"
#include "srcu/platform/env.hpp"

namespace torture::kernel {

Settings settings;

namespace {

std::unique_ptr<Cpu> cpus[kMostCpus];

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

void Cpu::run_at_next_tick(srcu::IrqWork& work) { at_next_tick_.push(work); }

// What waits for a tick because the machine cannot interrupt itself. In the hard interrupt.
void Cpu::run_irq_works() {
  if (settings.tick_runs_irq_works) at_next_tick_.take(srcu::irq_work_run);
}

void Cpu::set_online(bool online) {
  if (id == 0) return;
  online_.store(online, std::memory_order_release);  // pairs with online(): whoever sees it sees what was done before
  // What is staged for this CPU's sake is not left behind: a kernel's offline callback.
  if (!online) srcu::flush_deferred();
}

// While it is offline, again and again: whoever looked before may still arm a timer here, or queue an irq_work.
void Cpu::hand_over() {
  for (unsigned kind = 0; kind < kBases; ++kind) bases[kind].move_to(cpu(0).bases[kind]);
  at_next_tick_.take([](srcu::IrqWork& work) { cpu(0).run_at_next_tick(work); });
}

// A hard interrupt, which looks at the runqueue; behind it softirqs.
void Cpu::tick() {
  if (!online()) return hand_over();
  srcu::irq_off();
  srcu_lockdep_hardirq_enter();
  rq_lock.lock();
  rq_lock.unlock();
  run_irq_works();
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

Cpu* last_cpu(srcu::Work& work) {
  const unsigned place = std::atomic_ref(work.place).load(std::memory_order_acquire);  // pairs with queue_work()
  return place ? cpus[place - 1].get() : nullptr;
}

void queue_work(Cpu& cpu, srcu::Work& work) {
  Cpu* const last = last_cpu(work);
  if (last && last != &cpu && last->pool.insert_if_running(work)) return;
  // release: pairs with last_cpu(): what was done there is seen by who looks there
  std::atomic_ref(work.place).store(cpu.id + 1, std::memory_order_release);
  cpu.pool.insert(work);
}

void claim_run(srcu::Work& work) {
  work.running = true;
  // An exchange, not a store: who found it queued until now, in claim(), is seen by the run that begins here. And release: who
  // queues it from now on finds it running.
  std::atomic_ref(work.queued).exchange(false, std::memory_order_acq_rel);
}

Machine::Machine() {
  watch_srcu_locks(true);
  for (unsigned id = 0; id < settings.cpus; ++id) cpus[id] = std::make_unique<Cpu>(id);
  for (unsigned id = 0; id < settings.cpus; ++id) cpus[id]->start();
}

Machine::~Machine() {
  for (unsigned id = 0; id < settings.cpus; ++id) cpus[id]->stop();
  for (auto& each : cpus) each.reset();
  watch_srcu_locks(false);
}

}  // namespace torture::kernel
