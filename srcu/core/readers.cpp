// The readers' slow way: first use of a thread or a domain, threads without a slot of their own, kernels without
// membarrier(), and every reader of a debug build.
#include "srcu/core/misuse.hpp"
#include "srcu/core/usage.hpp"
#include "srcu/core/watch.hpp"

namespace srcu {
namespace {

// Null: slot 0 serves, which is everybody's.
srcu_slot* own_slot(Usage& usage) {
  if (!srcu_slot_offset) take_thread_number();
  return srcu_slot_offset ? &usage.slots[srcu_slot_offset / sizeof(srcu_slot)] : nullptr;
}

// A fast domain's too where there is no membarrier().
bool needs_fence(const Usage& usage) { return !usage.fast || !usage.shown; }

srcu_ctr& counts(srcu_slot& slot, uint32_t rank, int read_kind) {
  return *srcu_at(&slot.rank[rank], srcu_part(read_kind));
}

// relaxed: the calling thread's own, and its handlers'
void note_in_slot_0(int read_kind, int64_t more) {
  if (srcu_part(read_kind) == 0) __atomic_fetch_add(&sections_in_slot_0, more, __ATOMIC_RELAXED);
}

// Where to count an opening; one in slot 0 is noted, too, before the last look for a slot of one's own: from then on handlers take
// no number, and one that came before may have.
srcu_slot* slot_to_open_in(Usage& usage, int read_kind) {
  if (srcu_slot* const slot = own_slot(usage)) return slot;
  note_in_slot_0(read_kind, 1);
  signal_fence();
  if (!srcu_slot_offset) return nullptr;
  note_in_slot_0(read_kind, -1);
  return own_slot(usage);
}

}  // namespace

uint32_t open_section(Usage& usage, int read_kind) {
  srcu_slot* const slot = slot_to_open_in(usage, read_kind);
  const uint32_t rank = usage.rank.load(relaxed);  // relaxed: any rank will do
  if (!slot) {
    // ORD(B) too: this one is a full fence in any case, relaxed and fence, as for readers with one.
    __atomic_fetch_add(&counts(usage.slots[0], rank, read_kind).lock, 1, __ATOMIC_RELAXED);
    fence(Ord::B);
  } else if (needs_fence(usage)) {
    srcu_count_and_fence(&counts(*slot, rank, read_kind).lock);
  } else {
    srcu_count(&counts(*slot, rank, read_kind).lock);
  }
  return rank;
}

void close_section(Usage& usage, uint32_t rank, int read_kind) {
  if (srcu_slot* const slot = own_slot(usage)) return srcu_count(&counts(*slot, rank, read_kind).unlock);
  __atomic_fetch_add(&counts(usage.slots[0], rank, read_kind).unlock, 1, SRCU_ORDERED(C, __ATOMIC_RELEASE));  // ORD(C)
  note_in_slot_0(read_kind, -1);
}

}  // namespace srcu

extern "C" {

[[gnu::nothrow]] srcu_ctr* srcu_slow_read_lock(srcu_struct* ssp, int read_kind) {
  srcu::Usage& usage = srcu::usage_of(ssp);
  srcu::check_reader_kind(usage, read_kind);
  srcu::watch_opened(usage, read_kind);
  const uint32_t rank = srcu::open_section(usage, read_kind);
  srcu::note_opened(usage, rank, read_kind);
  return &usage.slots[0].rank[rank];
}

[[gnu::nothrow]] void srcu_slow_read_unlock(srcu_struct* ssp, int idx, int read_kind) {
  srcu::Usage& usage = srcu::usage_of(ssp);
  srcu::check_closing(usage, idx, read_kind);
  srcu::close_section(usage, static_cast<uint32_t>(idx) & 1, read_kind);
  srcu::watch_closing(usage, read_kind);
}

[[gnu::nothrow]] void srcu_slow_read_unlock_ctr(srcu_struct* ssp, srcu_ctr* scp, int read_kind) {
  const srcu_ctr* const ranks = srcu::usage_of(ssp).slots[0].rank;
  srcu_slow_read_unlock(ssp, scp == &ranks[0] ? 0 : scp == &ranks[1] ? 1 : -1, read_kind);
}

bool srcu_read_lock_held(const srcu_struct* ssp) { return srcu::maybe_inside(ssp); }

}  // extern "C"
