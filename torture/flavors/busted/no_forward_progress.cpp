// After ten barriers one never returns.
#include <unistd.h>

#include <atomic>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

std::atomic<unsigned> barriers{0};

void barrier(void* dom, void* ctx) {
  if (barriers.fetch_add(1, std::memory_order_relaxed) >= 10) {  // relaxed: a count
    for (;;) pause();
  }
  urcu_mb.barrier(dom, ctx);
}

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_no_forward_progress";
  ops.barrier = barrier;
  return ops;
}

}  // namespace

const Ops busted_no_forward_progress = broken();

}  // namespace torture
