// After a hundred grace periods one never ends.
#include <unistd.h>

#include <atomic>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

std::atomic<unsigned> grace_periods{0};

void synchronize(void* dom, void* ctx) {
  if (grace_periods.fetch_add(1, std::memory_order_relaxed) >= 100) {  // relaxed: a count
    for (;;) pause();
  }
  urcu_mb.synchronize(dom, ctx);
}

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_stuck_gp";
  ops.synchronize = synchronize;
  return ops;
}

}  // namespace

const Ops busted_stuck_gp = broken();

}  // namespace torture
