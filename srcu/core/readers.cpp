// The readers' slow way: first use of a thread or a domain, threads without a slot of their own, kernels without
// membarrier(), and every reader of a debug build.
#include "srcu/core/misuse.hpp"
#include "srcu/core/usage.hpp"

namespace srcu {
namespace {

// Null: slot 0 serves, which is everybody's.
srcu_slot* own_slot(Usage& usage) {
  if (!srcu_slot_offset) take_thread_number();
  return srcu_slot_offset ? &usage.slots[srcu_slot_offset / sizeof(srcu_slot)] : nullptr;
}

bool needs_fence(const Usage& usage) {
  // A fast domain without slots in sight has them hidden: there is no membarrier(). relaxed: only compared
  return !usage.fast || !__atomic_load_n(&usage.domain->srcu_slots, __ATOMIC_RELAXED);
}

}  // namespace

uint32_t open_section(Usage& usage) {
  srcu_slot* const slot = own_slot(usage);
  // relaxed: as in srcu.h
  const uint32_t rank = __atomic_load_n(&usage.domain->srcu_idx, __ATOMIC_RELAXED);
  if (!slot) {
    // ORD(B) too: this one is a full fence in any case, relaxed and fence, as for readers with one.
    __atomic_fetch_add(&usage.slots[0].lock[rank], 1, __ATOMIC_RELAXED);
    fence(Ord::B);
  } else if (needs_fence(usage)) {
    srcu_count_and_fence(&slot->lock[rank]);
  } else {
    srcu_count(&slot->lock[rank]);
  }
  return rank;
}

void close_section(Usage& usage, uint32_t rank) {
  srcu_slot* const slot = own_slot(usage);
  if (slot)
    srcu_count(&slot->unlock[rank]);
  else
    __atomic_fetch_add(&usage.slots[0].unlock[rank], 1, __ATOMIC_RELEASE);  // ORD(C)
}

}  // namespace srcu

extern "C" {

int srcu_slow_read_lock(srcu_struct* ssp, int read_kind) {
  srcu::Usage& usage = srcu::usage_of(ssp);
  srcu::check_reader_kind(usage, read_kind);
  const uint32_t rank = srcu::open_section(usage);
  srcu::note_opened(usage, read_kind);
  return static_cast<int>(rank);
}

void srcu_slow_read_unlock(srcu_struct* ssp, int idx, int read_kind) {
  srcu::Usage& usage = srcu::usage_of(ssp);
  srcu::check_closing(usage, idx, read_kind);
  srcu::close_section(usage, static_cast<uint32_t>(idx) & 1);
}

bool srcu_read_lock_held(const srcu_struct* ssp) { return srcu::maybe_inside(ssp); }

}  // extern "C"
