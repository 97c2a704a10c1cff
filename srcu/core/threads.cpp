#include "srcu/core/threads.hpp"

#include <atomic>

#include "srcu/platform/atomic.hpp"
#include "srcu/platform/env.hpp"

extern "C" {
__thread size_t srcu_slot_offset = 0;
}

namespace srcu {

thread_local constinit int64_t sections_in_slot_0 = 0;

namespace {

constexpr uint32_t kWordBits = 64;
constexpr uint64_t kNobody = 1;  // number 0

std::atomic<uint64_t> taken[kMaxThreads / kWordBits] = {kNobody};
std::atomic<uint32_t> ever{1};
thread_local constinit bool exiting = false;

// The lowest free number, so that sums stay short; 0 if there is none.
uint32_t claim() {
  for (uint32_t word = 0; word < kMaxThreads / kWordBits; ++word) {
    uint64_t seen = taken[word].load(relaxed);  // relaxed: a hint
    while (~seen) {
      const auto bit = static_cast<uint32_t>(__builtin_ctzll(~seen));
      // ORD(T1): pairs with T2: the counts of the slots' last owner are seen by the next, who adds to them.
      seen = taken[word].fetch_or(uint64_t{1} << bit, acquire(Ord::T1));
      if (!(seen >> bit & 1)) return word * kWordBits + bit;
    }
  }
  return 0;
}

void give_back(uint32_t number) {
  // ORD(T2): pairs with T1.
  taken[number / kWordBits].fetch_and(~(uint64_t{1} << number % kWordBits), release(Ord::T2));
}

void raise_ever(uint32_t number) {
  uint32_t seen = ever.load(relaxed);  // relaxed: the exchange confirms it
  // ORD(H1): pairs with H2: a scan that sees a count of this thread looks at its slot. Comes before the thread's
  // first count, and so before whatever fence that count has, or before the membarrier's.
  while (seen <= number && !ever.compare_exchange_weak(seen, number + 1, release(Ord::H1), relaxed)) {
  }
}

// Late destructors of the same thread may still read: they share slot 0.
void on_exit() {
  exiting = true;
  const size_t offset = srcu_slot_offset;
  srcu_slot_offset = 0;
  signal_fence();  // a handler reads in our slot no more
  if (offset) give_back(static_cast<uint32_t>(offset / sizeof(srcu_slot)));
}

}  // namespace

void take_thread_number() {
  if (srcu_slot_offset || sections_in_slot_0 > 0 || exiting || !env::on_thread_exit(on_exit)) return;
  const uint32_t number = claim();
  if (!number) return;
  raise_ever(number);
  size_t none = 0;
  const size_t offset = number * sizeof(srcu_slot);
  // relaxed: against handlers on this thread, one of which may have been here since the first line.
  if (!__atomic_compare_exchange_n(&srcu_slot_offset, &none, offset, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    give_back(number);
}

// ORD(H2): pairs with H1.
uint32_t threads_ever() { return ever.load(acquire(Ord::H2)); }

void forget_other_threads() {
  const size_t mine = srcu_slot_offset / sizeof(srcu_slot);
  for (uint32_t word = 0; word < kMaxThreads / kWordBits; ++word) {
    uint64_t kept = word == 0 ? kNobody : 0;
    if (mine / kWordBits == word) kept |= uint64_t{1} << mine % kWordBits;
    taken[word].store(kept, relaxed);  // relaxed: there is one thread
  }
}

}  // namespace srcu
