// All domains of the process, for fork. Lock-free to enter, since a handler may be a domain's first user.
#include <algorithm>

#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"

namespace srcu {

Spinlock registry_lock{LockClass::kRegistry};

namespace {

// The first domain; its low bit says that the registry is frozen.
std::atomic<uintptr_t> head{0};
constexpr uintptr_t kFrozen = 1;

uintptr_t word(const Usage* usage) { return reinterpret_cast<uintptr_t>(usage); }
Usage* domain(uintptr_t word) { return reinterpret_cast<Usage*>(word & ~kFrozen); }

// Newcomers, who enter without the lock, stand in front, and nobody behind them knows of them: each is made known once.
void introduce_newcomers(Usage* first) {
  for (Usage* next; (next = next_domain(*first)) && !next->last_domain; first = next) next->last_domain = first;
}

}  // namespace

void register_domain(Usage& usage) {
  uintptr_t seen = head.load(relaxed);  // relaxed: the exchange confirms it
  uint64_t pause_ns = 10'000;
  for (;;) {
    if (seen & kFrozen) {  // a fork is under way, which may take long in a large process
      env::sleep_ns(pause_ns);
      pause_ns = std::min<uint64_t>(2 * pause_ns, 1'000'000);
      seen = head.load(relaxed);  // relaxed: as above
      continue;
    }
    usage.next_domain.store(domain(seen), relaxed);  // relaxed: published by the exchange
    // ORD(P1): pairs with P2.
    if (head.compare_exchange_weak(seen, word(&usage), release(Ord::P1), relaxed)) return;
  }
}

void unregister_domain(Usage& usage) {
  const IrqLocked locked(registry_lock);
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

// ORD(P2): pairs with P1: the domain's members are there.
Usage* first_domain() { return domain(head.load(acquire(Ord::P2))); }

// relaxed: changed under the lock alone, once published
Usage* next_domain(const Usage& usage) { return usage.next_domain.load(relaxed); }

bool freeze_registry(Usage* first) {
  uintptr_t seen = word(first);
  return head.compare_exchange_strong(seen, seen | kFrozen, relaxed, relaxed);  // relaxed: nothing is read by it
}

void thaw_registry() { head.fetch_and(~kFrozen, relaxed); }  // relaxed: as above

}  // namespace srcu
