// A home-made RCU of another kind: epochs. A section shows the epoch in which it began; the epoch moves on when all open
// sections show the present one. What was unpublished in an epoch can go two epochs later, for then every section that was
// open has ended: one that shows the epoch of the unpublication does not hold up the first move, but the second.
#include <sched.h>
#include <srcutorture/ops.h>

#include <atomic>
#include <mutex>
#include <new>

namespace {

#ifdef EPOCHS_ONE_IS_ENOUGH
constexpr uint64_t kGracePeriod = 1;
#else
constexpr uint64_t kGracePeriod = 2;
#endif

struct Reader {
  std::atomic<uint64_t> shown{0};  // the epoch; 0: outside
  unsigned depth = 0;
  Reader* next;
};

struct Posted {
  Posted* next;
  srcutorture_cb callback;
  uint64_t ripe;  // from this epoch on
};
static_assert(sizeof(Posted) <= sizeof(srcutorture_head));

struct Domain {
  std::atomic<uint64_t> epoch{1}, invoked{0};
  std::mutex lock;  // for the next four, and whoever moves the epoch
  Reader* readers = nullptr;
  Posted* oldest = nullptr;
  Posted** end = &oldest;
  uint64_t posted = 0;
  std::mutex invoking;  // callbacks run in the order in which they were posted; taken ahead of `lock`

  // relaxed, here and where the epoch moves: under the lock. So what the caller has unpublished comes before any move from here.
  uint64_t one_grace_period_on() { return epoch.load(std::memory_order_relaxed) + kGracePeriod; }

  void move_on() {
    // seq_cst fence [B]: unpublications come before the looks at the readers. Pairs with [A].
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const uint64_t now = epoch.load(std::memory_order_relaxed);
    for (const Reader* reader = readers; reader; reader = reader->next) {
      // acquire: pairs with both releases below; what the reader's sections have done is over.
      const uint64_t shown = reader->shown.load(std::memory_order_acquire);
      if (shown != 0 && shown != now) return;
    }
    // release: who shows or sees the new epoch comes after all that led to it.
    epoch.store(now + 1, std::memory_order_release);
  }
};

Domain& of(void* dom) { return *static_cast<Domain*>(dom); }

void* create() { return new (std::nothrow) Domain; }

void* thread_register(void* dom) {
  auto* const me = new (std::nothrow) Reader;
  if (!me) return nullptr;
  const std::lock_guard guard(of(dom).lock);
  me->next = of(dom).readers;
  return of(dom).readers = me;
}

void thread_unregister(void* dom, void* ctx) {
  {
    const std::lock_guard guard(of(dom).lock);
    Reader** at = &of(dom).readers;
    while (*at != ctx) at = &(*at)->next;
    *at = (*at)->next;
  }
  delete static_cast<Reader*>(ctx);
}

uint64_t read_lock(void* dom, void* ctx) {
  auto& me = *static_cast<Reader*>(ctx);
  if (me.depth++ != 0) return 0;
  // relaxed: an old epoch only holds up the moves. release: who sees this, and not that the last section has ended, comes
  // after that section all the same.
  me.shown.store(of(dom).epoch.load(std::memory_order_relaxed), std::memory_order_release);
#ifndef EPOCHS_WITHOUT_FENCE
  // seq_cst fence [A]: the store comes before the section's loads. Pairs with [B]: a section that was not seen sees what was unpublished.
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  return 0;
}

void read_unlock(void*, void* ctx, uint64_t) {
  auto& me = *static_cast<Reader*>(ctx);
  if (--me.depth == 0) me.shown.store(0, std::memory_order_release);  // release: the section comes before
}

uint64_t get_state(void* dom) {
  const std::lock_guard guard(of(dom).lock);
  return of(dom).one_grace_period_on();
}

// acquire: pairs with the release in move_on().
bool poll_state(void* dom, uint64_t cookie) { return of(dom).epoch.load(std::memory_order_acquire) >= cookie; }

void synchronize(void* dom, void*) {
  for (const uint64_t cookie = get_state(dom); !poll_state(dom, cookie); sched_yield()) {
    const std::lock_guard guard(of(dom).lock);
    of(dom).move_on();
  }
}

void call(void* dom, void*, srcutorture_head* head, srcutorture_cb callback) {
  Domain& domain = of(dom);
  const std::lock_guard guard(domain.lock);
  auto* const mine = new (head) Posted{nullptr, callback, domain.one_grace_period_on()};
  *domain.end = mine;
  domain.end = &mine->next;
  ++domain.posted;
}

/// The oldest that is ripe, taken out; or null.
Posted* ripe_one(Domain& domain) {
  const std::lock_guard guard(domain.lock);
  Posted* const one = domain.oldest;
  if (!one || one->ripe > domain.epoch.load(std::memory_order_relaxed)) return nullptr;
  domain.oldest = one->next;
  if (!domain.oldest) domain.end = &domain.oldest;
  return one;
}

void advance(void* dom, void*) {
  Domain& domain = of(dom);
  if (const std::lock_guard guard(domain.lock); domain.oldest) domain.move_on();
  const std::unique_lock alone(domain.invoking, std::try_to_lock);
  if (!alone) return;
  while (Posted* const one = ripe_one(domain)) {
    one->callback(reinterpret_cast<srcutorture_head*>(one));
    domain.invoked.fetch_add(1, std::memory_order_release);  // release: the callback comes before the end of a barrier
  }
}

void barrier(void* dom, void* ctx) {
  uint64_t posted;
  {
    const std::lock_guard guard(of(dom).lock);
    posted = of(dom).posted;
  }
  while (of(dom).invoked.load(std::memory_order_acquire) < posted) {
    advance(dom, ctx);
    sched_yield();
  }
}

void destroy(void* dom) {
  barrier(dom, nullptr);
  delete &of(dom);
}

}  // namespace

const struct srcutorture_ops srcutorture_ops = {
    .version = SRCUTORTURE_OPS_VERSION,
    .size = sizeof(struct srcutorture_ops),
    .name = "epochs",
    .facts = SRCUTORTURE_SLEEPING_READER | SRCUTORTURE_NESTS | SRCUTORTURE_CALL_IN_READER | SRCUTORTURE_STALLED_READER_BLOCKS_ALL,
    .create = create,
    .destroy = destroy,
    .read_lock = read_lock,
    .read_unlock = read_unlock,
    .synchronize = synchronize,
    .call = call,
    .thread_register = thread_register,
    .thread_unregister = thread_unregister,
    .barrier = barrier,
    .get_state = get_state,
    .poll_state = poll_state,
    .advance = advance,
};
