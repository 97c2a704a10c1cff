// All domains of the process, for fork. Lock-free to enter, since a handler may be a domain's first user.
#include <algorithm>

#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/platform/freeze.hpp"

namespace srcu {

Spinlock registry_lock{LockClass::kRegistry};

namespace {

// The first domain; its low bit says that a fork holds the locks of all that were there when it was set.
std::atomic<uintptr_t> head{0};
constexpr uintptr_t kHeld = 1;

uintptr_t word(const Usage* usage) { return reinterpret_cast<uintptr_t>(usage); }
Usage* domain(uintptr_t word) { return reinterpret_cast<Usage*>(word & ~kHeld); }

// Newcomers, who enter without the lock, stand in front, and nobody behind them knows of them: each is made known once.
void introduce_newcomers(Usage* first) {
  for (Usage* next; (next = next_domain(*first)) && !next->last_domain; first = next) next->last_domain = first;
}

// The registry's lock is held.
void unlink(Usage& usage) {
  Usage* const next = next_domain(usage);
  uintptr_t seen = word(&usage);
  // ORD(P2), both: newcomers are pushed in front at any time; behind the first nobody but us changes a link.
  if (head.compare_exchange_strong(seen, word(next), acquire(Ord::P2), acquire(Ord::P2))) {
    if (next) next->last_domain = nullptr;
    return;
  }
  introduce_newcomers(domain(seen));
  usage.last_domain->next_domain.store(next, relaxed);  // relaxed: read under the lock alone
  if (next) next->last_domain = usage.last_domain;
}

}  // namespace

// A handler's first use may have interrupted malloc(), for which a fork waits; so it does not wait for that. A newcomer in
// front of those that the fork holds has free locks, which must stay so, for the child. ORD(P2): to see the bit brings
// along that a fork is under way; S1 hands it on to whoever finds the domain, and none of them takes its locks before the end.
void register_domain(Usage& usage) {
  uintptr_t seen = head.load(relaxed);  // relaxed: the exchange confirms it
  do {
    usage.next_domain.store(domain(seen), relaxed);  // relaxed: published by the exchange
    // ORD(P1): pairs with P2, both ways.
  } while (!head.compare_exchange_weak(seen, word(&usage) | (seen & kHeld), acq_rel(Ord::P1), relaxed));
}

void unregister_domain(Usage& usage) {
  await_thaw();
  const IrqLocked locked(registry_lock);
  unlink(usage);
}

bool unregister_unless_frozen(Usage& usage) {
  const IrqLockedUnlessFrozen locked(registry_lock);
  if (!locked) return false;
  unlink(usage);
  return true;
}

// ORD(P2): pairs with P1: the domain's members are there.
Usage* first_domain() { return domain(head.load(acquire(Ord::P2))); }

// relaxed: changed under the lock alone, once published
Usage* next_domain(const Usage& usage) { return usage.next_domain.load(relaxed); }

bool freeze_registry(Usage* first) {
  uintptr_t seen = word(first);
  // ORD(P1): pairs with P2: that a fork is under way, frozen(), is seen by who enters from now on. relaxed: nothing is read
  return head.compare_exchange_strong(seen, seen | kHeld, release(Ord::P1), relaxed);
}

void thaw_registry() { head.fetch_and(~kHeld, relaxed); }  // relaxed: whoever still counts as a newcomer waits for nothing

void await_thaw() {
  for (uint64_t pause_ns = 10'000; frozen(); pause_ns = std::min<uint64_t>(2 * pause_ns, 100'000)) env::sleep_ns(pause_ns);
}

}  // namespace srcu
