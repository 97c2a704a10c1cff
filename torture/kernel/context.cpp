#include "torture/kernel/context.hpp"

#include <utility>

#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/nmi.hpp"
#include "torture/kernel/points.hpp"
#include "torture/kernel/spinlock_t.hpp"

namespace torture::kernel {
namespace {

void run(const Body& body) { body.run(body.argument); }

/// Waits on its own stack, or on a thread's, for something that runs elsewhere.
class Event {
 public:
  void set() {
    set_.store(1, std::memory_order_release);  // pairs with wait()
    srcu::env::futex_wake(set_);
  }
  void wait() {
    while (!set_.load(std::memory_order_acquire)) srcu::env::futex_wait(set_, 0);
  }

 private:
  std::atomic<uint32_t> set_{0};
};

bool in_task(const Scene&, const Body& body) { return run(body), true; }

bool with_preemption_off(const Scene&, const Body& body) {
  preempt_off();
  run(body);
  preempt_on();
  return true;
}

bool with_irqs_off(const Scene&, const Body& body) {
  srcu::irq_off();
  run(body);
  srcu::irq_on();
  return true;
}

bool under(Lock& lock, const Body& body) {
  const IrqLock locked(lock);
  return run(body), true;
}

bool under_raw_lock(const Scene&, const Body& body) {
  static Lock unrelated(unrelated_kind);
  unrelated.lock();  // interrupts stay on: raw_spin_lock(), not raw_spin_lock_irqsave()
  run(body);
  unrelated.unlock();
  return true;
}

bool under_rq_lock(const Scene& scene, const Body& body) { return under(scene.cpu.rq_lock, body); }
bool under_base_lock(const Scene& scene, const Body& body) {
  return under(scene.cpu.base(BaseKind::kGlobal).lock, body);
}
bool under_pool_lock(const Scene& scene, const Body& body) { return under(scene.cpu.pool.lock, body); }

// Of the worker that queueing work on that CPU would wake: anybody may hold a task's pi_lock.
bool under_pi_lock(const Scene& scene, const Body& body) {
  Task* const worker = scene.cpu.pool.idle_worker();
  return worker && under(worker->pi_lock, body);
}

/// A callback of the context's own. Waits for it when it goes.
struct Bait {
  rcu_head head;  // first: the callback casts
  const Body* in_callback;
  Event over;

  void post(srcu_struct& domain, const Body* body = nullptr) {
    in_callback = body;
    call_srcu_nolock(&domain, &head, on_grace_period);
  }
  /// As somebody who need not defer.
  void post_at_once(srcu_struct& domain) {
    in_callback = nullptr;
    call_srcu(&domain, &head, on_grace_period);
  }
  static void on_grace_period(rcu_head* head) {
    auto* const self = reinterpret_cast<Bait*>(head);
    if (self->in_callback) run(*self->in_callback);
    self->over.set();
  }
};

// Where a natural path comes to a place, once. Several threads may come there at a time.
struct AtPlace {
  const Body& body;
  const bool as_nmi;
  const unsigned skip = 0;      ///< As many times before.
  const bool in_drain = false;  ///< Whoever comes by otherwise, an ordinary poster, say, is left alone.
  std::atomic<unsigned> come_by{0};

  bool done() const { return come_by.load(std::memory_order_relaxed) > skip; }  // relaxed: what it did is awaited otherwise
  static void come(void* argument) {
    auto& self = *static_cast<AtPlace*>(argument);
    if (self.in_drain && !srcu::draining()) return;
    if (self.come_by.fetch_add(1, std::memory_order_relaxed) != self.skip) return;  // relaxed: one of them is picked
    if (self.as_nmi)
      raise_nmi(self.body.run, self.body.argument);
    else
      run(self.body);
  }
};

bool inside_post(const Scene& scene, const Body& body, Tracepoint& point, bool as_nmi) {
  AtPlace at{body, as_nmi};
  Bait bait;
  {
    const AttachedHere attached(point, {AtPlace::come, &at});
    bait.post_at_once(scene.domain);
  }
  bait.over.wait();
  return at.done();
}

bool under_sdp_lock(const Scene& scene, const Body& body) { return inside_post(scene, body, srcu_sdp_locked, false); }

// Where somebody asks for a grace period, where it starts, and where it ends: the caller drives an idle domain itself.
bool under_sup_lock(const Scene& scene, const Body& body) {
  AtPlace at{body, false, scene.place};
  const AttachedHere attached(srcu_sup_locked, {AtPlace::come, &at});
  synchronize_srcu(&scene.domain);
  return at.done();
}
bool in_nmi_in_post(const Scene& scene, const Body& body) {
  return inside_post(scene, body, scene.place == 0 ? srcu_sdp_locked : srcu_sup_locked, true);
}

bool in_hardirq(const Scene&, const Body& body) {
  srcu::irq_off();
  srcu_lockdep_hardirq_enter();
  run(body);
  srcu_lockdep_hardirq_exit();
  srcu::irq_on();
  return true;
}

bool in_softirq_timer(const Scene&, const Body& body) {
  struct Armed {
    const Body& body;
    Event over;
  } armed{body, {}};
  Timer timer{[](void* argument) {
                auto* const self = static_cast<Armed*>(argument);
                run(self->body);
                self->over.set();
              },
              &armed};
  this_cpu().base(BaseKind::kGlobal).arm(timer, srcu::env::now_ns());
  armed.over.wait();
  return true;
}

// In a task that holds nothing, and inside each of the scheduler's locks.
bool in_nmi(const Scene&, const Body& body) { return raise_nmi(body.run, body.argument), true; }
bool in_nmi_anywhere(const Scene& scene, const Body& body) {
  AtPlace at{body, true};
  switch (scene.place) {
    case 0:
      return in_nmi(scene, body);
    case 1:
      return under(scene.cpu.rq_lock, {AtPlace::come, &at});
    case 2:
      return under_pi_lock(scene, {AtPlace::come, &at});
    case 3:
      return under_base_lock(scene, {AtPlace::come, &at});
    default:
      return under_pool_lock(scene, {AtPlace::come, &at});
  }
}

bool in_reader(const Scene& scene, const Body& body) {
  const srcu::Section section(srcu::usage_of(&scene.domain));
  return run(body), true;
}

bool in_callback(const Scene& scene, const Body& body) {
  Bait bait;
  bait.post(scene.domain, &body);
  bait.over.wait();
  return true;
}

// Some stage in an NMI alone; those that do not bear one must not be asked to.
void post_so_that_it_is_staged(Bait& bait, srcu_struct& domain) {
  if (srcu::usage_of(&domain).strategy->bears == srcu::Bears::kNoHandler) return bait.post(domain);
  std::pair<Bait*, srcu_struct*> what{&bait, &domain};
  raise_nmi(
      [](void* argument) {
        const auto& [bait, domain] = *static_cast<decltype(what)*>(argument);
        bait->post(*domain);
      },
      &what);
}

// What is posted with interrupts off is drained when they go on, here or by a worker: the drain's is the next lock.
bool in_drain(const Scene& scene, const Body& body) {
  AtPlace at{body, false, 0, true};
  Bait bait;
  srcu::irq_off();
  post_so_that_it_is_staged(bait, scene.domain);
  if (srcu::usage_of(&scene.domain).data.staged.posts.empty()) {
    srcu::irq_on();
    bait.over.wait();
    return false;
  }
  const Attached attached({&srcu_sdp_locked}, {AtPlace::come, &at});
  srcu::irq_on();
  bait.over.wait();
  return at.done();
}

bool in_malloc(const Scene&, const Body& body) {
  static SpinlockT slab(slab_kind);
  slab.lock();
  run(body);
  slab.unlock();
  return true;
}

}  // namespace

const std::vector<Context>& contexts() {
  static const std::vector<Context> all = {
      {"none", "a task that holds nothing", false, false, 1, in_task},
      {"preempt_off", "preemption is off", false, false, 1, with_preemption_off},
      {"irqs_off", "interrupts are off", false, false, 1, with_irqs_off},
      {"raw_lock", "a raw spinlock is held that has nothing to do with any of this", false, false, 1, under_raw_lock},
      {"rq_lock", "a runqueue's lock is held, as sched_ext's programs find it", true, false, 1, under_rq_lock,
       &rq_kind.taken},
      {"pi_lock", "the pi_lock of a worker is held", true, false, 1, under_pi_lock,
       &pi_kind.taken},
      {"timer_base_lock", "a timer base's lock is held", true, false, 1, under_base_lock,
       &base_kind.taken},
      {"pool_lock", "a worker pool's lock is held", true, false, 1, under_pool_lock,
       &pool_kind.taken},
      {"sdp_lock", "inside SRCU, its callback list's lock is held", false, true, 1, under_sdp_lock,
       &srcu_sdp_locked},
      {"snp_lock", "inside SRCU, a tree node's lock is held", false, true, 0, in_task},
      {"sup_lock", "inside SRCU, its update side's lock is held", false, true, 3, under_sup_lock,
       &srcu_sup_locked},
      {"hardirq", "an interrupt handler", false, false, 1, in_hardirq},
      {"softirq_timer", "a timer's function, in softirq", false, false, 1, in_softirq_timer},
      {"nmi", "an NMI that hit a task, or whoever holds one of the scheduler's locks", true, false, 5, in_nmi_anywhere},
      {"nmi_in_call_srcu", "an NMI that hit call_srcu() while it held one of SRCU's locks", false, true, 2,
       in_nmi_in_post},
      {"srcu_reader", "a reader", false, true, 1, in_reader},
      {"srcu_callback", "a callback", false, true, 1, in_callback},
      {"deferral_drain", "the drain of what was deferred, under SRCU's lock", false, true, 1, in_drain},
      {"malloc", "an allocator's lock is held", false, false, 1, in_malloc},
  };
  return all;
}

const Context* find_context(const std::string& name) {
  for (const Context& each : contexts())
    if (each.name == name) return &each;
  return nullptr;
}

}  // namespace torture::kernel
