// Domains: made by init or on first use, ended by cleanup.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <new>

#include "srcu/core/misuse.hpp"
#include "srcu/core/name.hpp"
#include "srcu/core/usage.hpp"
#include "srcu/core/watch.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/platform/membarrier.hpp"

namespace srcu {

Usage::Usage(srcu_struct* ssp)
    : domain(ssp), fast(ssp->srcu_kind != SRCU_KIND_NORMAL), shown(!fast || membarrier_works()) {
  gp_work = {process_grace_periods, this};
  data.invoke_work = {invoke_callbacks, this};
  gp_irq_work.run = [](void* usage) {
    auto& self = *static_cast<Usage*>(usage);
    self.host->queue_delayed_work(self.gp_work, 0);
  };
  Staging& staged = data.staged;
  staged.turn = {drain_staged, this};
  staged.drain.run = drain_staged;
  staged.later.run = [](void* usage) {
    auto& self = *static_cast<Usage*>(usage);
    self.host->queue_delayed_work(self.data.staged.turn, kJiffyNs);
  };
  prepare_legacy(*this);
  for (IrqWork* work : {&gp_irq_work, &staged.drain, &staged.later, &staged.wake}) work->owner = this;
}

namespace {

constexpr uint32_t kCleaned = 0x100;

// Somebody else was first. With interrupts off, the registry's lock may be held below us; or a fork may hold it, for which we
// do not wait: then it stays, unused.
void give_up(Usage& late) {
  late.abandoned.store(true, relaxed);  // relaxed: fork looks under the registry's lock, or alone
  if (irqs_off() || !unregister_unless_frozen(late)) return;
  env::unmap(&late, sizeof(Usage));
}

// Null without memory. Several may try at a time; all get the one that was first. Registered before it is published, so
// that fork finds every domain that anybody can use.
Usage* make(srcu_struct* ssp) {
  void* const memory = env::map(sizeof(Usage));
  if (!memory) return nullptr;
  auto* const fresh = new (memory) Usage(ssp);
  register_domain(*fresh);
  Usage* made = nullptr;
  // ORD(S1): pairs with S2. ORD(S2): failing, it is the other's that we find.
  if (!__atomic_compare_exchange_n(&ssp->srcu_sup, reinterpret_cast<srcu_usage**>(&made),
                                   reinterpret_cast<srcu_usage*>(fresh), false, SRCU_ORDERED(S1, __ATOMIC_ACQ_REL),
                                   SRCU_ORDERED(S2, __ATOMIC_ACQUIRE))) {
    give_up(*fresh);
    return made;
  }
  srcu_ctr* hidden = nullptr;
  // ORD(S1): pairs with S2. Failing, somebody found the domain, and has flipped its rank already. relaxed then: nothing
  // is read
  if (fresh->shown)
    __atomic_compare_exchange_n(&ssp->srcu_current, &hidden, &fresh->slots[0].rank[0], false,
                                SRCU_ORDERED(S1, __ATOMIC_RELEASE), __ATOMIC_RELAXED);
  return fresh;
}

int init(srcu_struct* ssp, uint32_t kind) {
  check_not_at_work(ssp, "init_srcu_struct");
  check_fresh(ssp);
  *ssp = {nullptr, kind, nullptr, nullptr, {}};
  if (!native_host.start()) return -EAGAIN;
  return make(ssp) ? 0 : -ENOMEM;
}

// One line on what still goes on, null if nothing does.
bool complain_if_used(Usage& usage) {
  const Name called(usage.domain);
  const char* const name = called.text();
  if (const int64_t open = open_sections(usage, 0) + open_sections(usage, 1); open != 0) {
    complain("cleanup_srcu_struct(%s): %" PRId64 " sections are open; stop all readers before. The domain is left as it is.",
             name, open);
    return true;
  }
  // relaxed: nobody posts any more
  const uint64_t waiting = usage.data.waiting.load(relaxed);
  const bool staged = !usage.data.staged.posts.empty();
  if (waiting || staged) {
    complain("cleanup_srcu_struct(%s): %" PRIu64 " callbacks wait%s; stop posting and call srcu_barrier() before. "
             "The domain is left as it is.", name, waiting, staged ? ", and some are staged" : "");
    return true;
  }
  return false;
}

// Returns when none of the posts' works is under way.
void quiesce(Usage& usage) {
  flush_deferred();  // the domain may be a node there
  Staging& staged = usage.data.staged;
  for (IrqWork* work : {&staged.drain, &staged.later, &staged.wake}) usage.host->sync_irq_work(*work);
  // The last batch of callbacks counts until it has run to its end, which is a little after srcu_barrier() returned.
  for (Work* work : {&staged.timer, &staged.turn, &usage.data.invoke_work}) usage.host->cancel_work(*work);
}

// The end of a fork does for each registered domain what may have been left: so none comes behind this.
void retire(Usage& usage) {
  unregister_domain(usage);
  usage.host->sync_irq_work(usage.gp_irq_work);
  usage.host->cancel_work(usage.gp_work);
  quiesce(usage);
}

// What quiesce() may have taken off the host's queue.
void go_on(Usage& usage) {
  for (Work* work : {&usage.data.staged.turn, &usage.data.invoke_work}) usage.host->queue_delayed_work(*work, 0);
  rearm_legacy(usage);
}

}  // namespace

Usage& usage_of(srcu_struct* ssp) {
  // ORD(S2): pairs with S1.
  if (auto* made = reinterpret_cast<Usage*>(__atomic_load_n(&ssp->srcu_sup, SRCU_ORDERED(S2, __ATOMIC_ACQUIRE)))) {
    check_not_moved(*made, ssp);
    return *made;
  }
  const uint32_t kind = __atomic_load_n(&ssp->srcu_kind, __ATOMIC_RELAXED);  // relaxed: constant while in use
  if (kind & kCleaned) die("domain %s is used after cleanup_srcu_struct(): call init_srcu_struct() first", Name(ssp).text());
  if (kind < SRCU_KIND_NORMAL || kind > SRCU_KIND_FAST_UPDOWN)
    die("domain at %p is used before init_srcu_struct(): call that, or use DEFINE_SRCU()", static_cast<void*>(ssp));
  if (Usage* made = make(ssp)) return *made;
  die("no memory for domain %s at its first use: use init_srcu_struct(), which says so by -ENOMEM", Name(ssp).text());
}

}  // namespace srcu

extern "C" {

int init_srcu_struct(srcu_struct* ssp) { return srcu::init(ssp, SRCU_KIND_NORMAL); }
int init_srcu_struct_fast(srcu_struct* ssp) { return srcu::init(ssp, SRCU_KIND_FAST); }
int init_srcu_struct_fast_updown(srcu_struct* ssp) { return srcu::init(ssp, SRCU_KIND_FAST_UPDOWN); }

void cleanup_srcu_struct(srcu_struct* ssp) {
  using namespace srcu;
  Usage& usage = usage_of(ssp);
  check_not_inside(usage, "cleanup_srcu_struct");
  check_not_in_callback(usage, "cleanup_srcu_struct");
  check_not_at_work(ssp, "cleanup_srcu_struct", usage.host);
  quiesce(usage);
  if (complain_if_used(usage)) return go_on(usage);
  wait_for(usage, usage.gp_seq_needed.load(relaxed));  // relaxed: nobody asks any more. One that was polled for, say.
  retire(usage);
  watch_forgotten(usage);
  ssp->srcu_current = nullptr;
  ssp->srcu_sup = nullptr;
  ssp->srcu_kind |= kCleaned;
  usage.~Usage();
  env::unmap(&usage, sizeof(Usage));
}

int srcu_set_strategy(srcu_struct* ssp, const char* name) {
  using namespace srcu;
  const Strategy* const strategy = find_strategy(name);
  if (!strategy) return -EINVAL;
  Usage& usage = usage_of(ssp);
  check_not_at_work(ssp, "srcu_set_strategy", usage.host);
  // relaxed: a look; who posts or waits just now may not be seen yet, and comes to no harm
  if (usage.gp_seq_needed.load(relaxed) != kSeqFirst || !usage.data.staged.posts.empty()) return -EBUSY;
  usage.strategy = strategy;
  return 0;
}

int srcu_start_helper() { return srcu::native_host.start() ? 0 : -EAGAIN; }

}  // extern "C"
