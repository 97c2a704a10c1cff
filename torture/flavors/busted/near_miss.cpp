// The sequence moves at the beginning of a grace period too, though it claims to count them exactly.
#include <atomic>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

std::atomic<uint64_t> sequence{0};

// relaxed, all: the sequence orders nothing
void synchronize(void* dom, void* ctx) {
  sequence.fetch_add(1, std::memory_order_relaxed);
  urcu_mb.synchronize(dom, ctx);
  sequence.fetch_add(1, std::memory_order_relaxed);
}

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_near_miss";
  ops.facts |= SRCUTORTURE_GP_SEQ_EXACT;
  ops.synchronize = synchronize;
  ops.gp_seq = [](void*) { return sequence.load(std::memory_order_relaxed); };
  return ops;
}

}  // namespace

const Ops busted_near_miss = broken();

}  // namespace torture
