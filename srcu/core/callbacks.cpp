// From call_srcu() to the callback, and srcu_barrier().
#include "srcu/core/misuse.hpp"
#include "srcu/core/usage.hpp"
#include "srcu/core/watch.hpp"
#include "srcu/platform/atomic.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/platform/freeze.hpp"

namespace srcu {
namespace {

thread_local constinit bool invoking_callback = false;
thread_local constinit bool in_drain = false;

void append(Usage& usage, rcu_head* head) {
  note_posted(usage, head);
  usage.data.callbacks.enqueue(head);
}

// Gives what was appended its grace period. The lock is held; the caller is in a section, so that this grace period
// cannot end before it is asked for. True, with its number, if that must be done.
bool number(Usage& usage, uint64_t& seq) {
  Data& data = usage.data;
  seq = snapshot(usage);
  data.callbacks.advance(usage.gp_seq.load(acquire(Ord::Q2)));  // ORD(Q2): DONE callbacks run after their readers
  if (!data.callbacks.accelerate(seq)) die("a callback found no grace period to wait for");  // cannot be
  data.waiting.store(data.callbacks.count(), relaxed);  // relaxed: see end() in gp.cpp
  if (seq_done(data.gp_seq_needed, seq)) return false;
  // relaxed: under the lock. Atomic for those who look in passing.
  std::atomic_ref(data.gp_seq_needed).store(seq, relaxed);
  return true;
}

// Appends what was staged. The lock is held, so that nobody who holds it finds some that are on neither list.
bool take_staged(Usage& usage) {
  rcu_head* twice = nullptr;
  rcu_head* list = usage.data.staged.posts.take(twice);
  if (twice) note_staged_twice(usage, twice);
  const bool any = list != nullptr;
  while (list) {
    rcu_head* const next = list->next;
    append(usage, list);
    list = next;
  }
  return any;
}

void run(rcu_head* list, uint64_t& ran) {
  invoking_callback = true;
  while (list) {
    rcu_head* const next = list->next;  // before: the callback may free it
    note_invoked(list);
    list->func(list);
    list = next;
    ++ran;
  }
  invoking_callback = false;
}

/// Waits on its caller's stack until everything before it has run.
struct BarrierHead {
  rcu_head head;  // first: the callback casts
  std::atomic<uint32_t> ran{0};

  static void on_turn(rcu_head* head) {
    auto& ran = reinterpret_cast<BarrierHead*>(head)->ran;
    // ORD(X1): pairs with X2: all earlier callbacks are seen. From here on the memory may be gone.
    ran.store(1, release(Ord::X1));
    env::futex_wake(ran);
  }
};

}  // namespace

bool in_callback() { return invoking_callback || in_deferred(); }

void enqueue(Usage& usage, rcu_head* head) {
  const Section section(usage);
  uint64_t seq = 0;
  bool ask = false;
  {
    const IrqLockedUnlessFrozen locked(usage.data.lock);
    if (!locked) return stage(usage, head);  // its drain is left for the fork's end, if that has not come
    append(usage, head);
    ask = number(usage, seq);
  }
  if (ask) request(usage, seq, false, true);
}

void stage(Usage& usage, rcu_head* head) {
  if (usage.data.staged.posts.push(head)) usage.strategy->drain_soon(usage);
}

bool draining() { return in_drain; }

void drain_staged(void* owner) {
  auto& usage = *static_cast<Usage*>(owner);
  const bool outer = in_drain;
  in_drain = true;
  signal_fence();
  const Section section(usage);
  uint64_t seq = 0;
  bool ask = false;
  locked_or_left(usage.data.lock, [&] { ask = take_staged(usage) && number(usage, seq); }, [] {});
  if (ask) request(usage, seq, false, true);
  signal_fence();
  in_drain = outer;
}

void invoke_callbacks(void* owner) {
  auto& usage = *static_cast<Usage*>(owner);
  Data& data = usage.data;
  rcu_head* list = nullptr;
  {
    const IrqLocked locked(data.lock);
    if (data.invoking) return;
    data.callbacks.advance(usage.gp_seq.load(acquire(Ord::Q2)));  // ORD(Q2): as in number()
    list = data.callbacks.extract_done();
    data.invoking = list != nullptr;
  }
  if (!list) return;
  uint64_t ran = 0;
  {
    const WatchedCallbacks watched(usage);
    run(list, ran);
  }
  bool more = false;
  {
    const IrqLocked locked(data.lock);
    data.callbacks.ran(ran);
    data.waiting.store(data.callbacks.count(), relaxed);  // relaxed: see end() in gp.cpp
    data.invoking = false;
    data.callbacks.advance(usage.gp_seq.load(acquire(Ord::Q2)));  // ORD(Q2): as above
    more = data.callbacks.done_ready();
  }
  if (more) usage.host->queue_delayed_work(data.invoke_work, 0);
}

void drop_barriers(Usage& usage) {
  usage.data.callbacks.drop(BarrierHead::on_turn);
  usage.data.waiting.store(usage.data.callbacks.count(), relaxed);  // relaxed: see end() in gp.cpp
}

void barrier(Usage& usage) {
  flush_deferred();
  await_thaw();
  BarrierHead last;
  last.head.func = BarrierHead::on_turn;
  bool waits = false, ready = false;
  {
    const Section section(usage);
    uint64_t seq = 0;
    bool ask = false;
    {
      const IrqLocked locked(usage.data.lock);
      ask = take_staged(usage) && number(usage, seq);
      waits = usage.data.callbacks.entrain(&last.head);
      usage.data.waiting.store(usage.data.callbacks.count(), relaxed);  // relaxed: see end() in gp.cpp
      ready = usage.data.callbacks.done_ready();
    }
    if (ask) request(usage, seq, false, true);
  }
  if (ready) usage.host->queue_delayed_work(usage.data.invoke_work, 0);
  // What waits may have been staged, by posts that could not start it.
  if (waits && !usage.host->start()) die("srcu_barrier: the helper thread cannot be started: raise the limit on threads");
  // ORD(X2): pairs with X1.
  while (waits && !last.ran.load(acquire(Ord::X2))) env::futex_wait(last.ran, 0);
  fence(Ord::E);  // ORD(E): as in synchronize_srcu()
}

}  // namespace srcu
