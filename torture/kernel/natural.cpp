#include "torture/kernel/natural.hpp"

#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/cpu.hpp"

namespace torture::kernel {
namespace {

void wait_until_quiet(Cpu& cpu) {
  while (!cpu.quiet()) srcu::env::sleep_ns(kJiffyNs / 10);
}

}  // namespace

void let_timers_expire(Cpu& cpu) {
  std::atomic<uint32_t> expired{0};
  Timer timers[kBases];
  for (unsigned i = 0; i < kBases; ++i) {
    timers[i] = {[](void* expired) {
                   // release: pairs with the acquire below
                   static_cast<std::atomic<uint32_t>*>(expired)->fetch_add(1, std::memory_order_release);
                 },
                 &expired};
    cpu.bases[i].arm(timers[i], srcu::env::now_ns());
  }
  while (expired.load(std::memory_order_acquire) != kBases) srcu::env::sleep_ns(kJiffyNs / 10);
}

void run_work(Cpu& cpu) {
  std::atomic<uint32_t> ran{0};
  srcu::Work work{[](void* ran) {
                    // release: pairs with the acquire below
                    static_cast<std::atomic<uint32_t>*>(ran)->store(1, std::memory_order_release);
                  },
                  &ran};
  queue_work(cpu, work);
  while (!ran.load(std::memory_order_acquire) || cpu.pool.running(work)) srcu::env::sleep_ns(kJiffyNs / 10);
}

void post_and_wait(srcu_struct& domain) {
  rcu_head head;
  call_srcu(&domain, &head, [](rcu_head*) {});
  srcu_barrier(&domain);
}

// Two in a row: some strategies have another way for the second.
void post_two_and_wait(srcu_struct& domain) {
  rcu_head heads[2];
  srcu::irq_off();
  for (rcu_head& head : heads) call_srcu(&domain, &head, [](rcu_head*) {});
  srcu::irq_on();
  srcu_barrier(&domain);
}

namespace {

// Somebody else holds it: the way of those who wait.
void contend(srcu::Spinlock& lock, srcu_struct& domain) {
  std::atomic<bool> let_go{false}, held{false};
  harness::NamedThread holder("contender", {}, [&] {
    const srcu::IrqLocked locked(lock);
    held.store(true, std::memory_order_release);                                // pairs with the acquire below
    while (!let_go.load(std::memory_order_acquire)) srcu::env::sleep_ns(1000);  // pairs with the release below
  });
  while (!held.load(std::memory_order_acquire)) srcu::env::sleep_ns(1000);
  harness::NamedThread opener("opener", {}, [&] {
    srcu::env::sleep_ns(kJiffyNs);
    let_go.store(true, std::memory_order_release);
  });
  post_and_wait(domain);
}

}  // namespace

void settle(srcu_struct& domain) {
  srcu_barrier(&domain);
  srcu::Usage& usage = srcu::usage_of(&domain);
  usage.host->cancel_work(usage.data.invoke_work);
  // acquire: what the driver did before
  while (srcu::seq_state(usage.gp_seq.load(std::memory_order_acquire)) != srcu::GpState::kIdle)
    srcu::env::sleep_ns(kJiffyNs / 10);
  usage.host->cancel_work(usage.gp_work);
  wait_until_quiet(this_cpu());
}

void walk_natural_paths(srcu_struct& domain) {
  Cpu& here = this_cpu();
  wait_until_quiet(here);
  run_work(here);
  wait_until_quiet(here);  // so PSI's timer has expired
  let_timers_expire(here);
  post_and_wait(domain);
  post_two_and_wait(domain);
  synchronize_srcu(&domain);
  synchronize_srcu_expedited(&domain);
  static_cast<void>(start_poll_synchronize_srcu(&domain));
  settle(domain);
  srcu_expedite_current(&domain);
  post_and_wait(domain);
  contend(srcu::usage_of(&domain).data.lock, domain);
  contend(srcu::usage_of(&domain).lock, domain);
  settle(domain);
}

namespace {

// Each from the innermost lock that is held: those further out have theirs by way of it.
constexpr Edge kEdges[] = {
    {"pool->lock", "p->pi_lock", "the thread's second splat: kick_pool() and create_worker() wake a worker under pool->lock"},
    {"p->pi_lock", "rq->__lock", "the same splat: try_to_wake_up() takes the runqueue's lock under pi_lock"},
    {"pool->lock", "timer_base.lock", "kernel/workqueue.c, worker_enter_idle(): mod_timer(idle_timer) under pool->lock"},
    {"rq->__lock", "timer_base.lock", "kernel/sched/psi.c, psi_group_change(): schedule_delayed_work(avgs_work), run under rq->__lock"},
};

}  // namespace

std::span<const Edge> known_edges() { return kEdges; }

}  // namespace torture::kernel
