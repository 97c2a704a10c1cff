// A hazard pointer names what was found, and does not look whether it is still there.
#include <atomic>

#include "harness/base/clock.hpp"
#include "torture/flavors/hazptr_domain.hpp"
#include "torture/flavors/table.hpp"

namespace torture {
namespace {

std::atomic<unsigned> looks{0};

// What is missing shows when something comes between the look and the name. That is rare, so now and then it takes long.
void* protect(void*, void* ctx, void** slot) {
  void* seen = std::atomic_ref<void*>(*slot).load(std::memory_order_acquire);  // acquire: the publication's partner
  if (!seen) return nullptr;
  if (looks.fetch_add(1, std::memory_order_relaxed) % 1024 == 0) {  // relaxed: a count
    const uint64_t end = harness::now_ns() + 500'000;
    while (harness::now_ns() < end) {
    }
  }
  static_cast<hazptr::Record*>(ctx)->announce(seen);
  return seen;
}

Ops broken() {
  Ops ops = hazptr_direct;
  ops.name = "busted_hazptr_unvalidated";
  ops.protect = protect;
  return ops;
}

}  // namespace

const Ops busted_hazptr_unvalidated = broken();

}  // namespace torture
