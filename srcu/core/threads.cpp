#include "srcu/core/threads.hpp"

#include <algorithm>
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

// The first look for dead owners comes before this number is had, the next ones before twice what lived at the last.
#ifdef SRCU_FIRST_SWEEP  // for builds where there are few threads to try it with
constexpr uint32_t kFirstSweep = SRCU_FIRST_SWEEP;
#else
constexpr uint32_t kFirstSweep = 16;
#endif

std::atomic<uint64_t> taken[kMaxThreads / kWordBits] = {kNobody};
std::atomic<uint32_t> ever{1};
thread_local constinit bool exiting = false;

// Whose each number is: his id, and above it how often it has been taken, so that nobody is taken for an earlier owner who
// had the same id. Without an id it is free, or its owner cannot be told from the living by one: then it stays taken.
std::atomic<uint64_t> owners[kMaxThreads];
constexpr uint64_t kId = 0xffff'ffff;
std::atomic<uint32_t> process{0};  // whose threads they are
std::atomic<uint32_t> sweep_from{kFirstSweep};
std::atomic<uint32_t> refused{0};

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

void set_free(uint32_t number) {
  // ORD(T2): pairs with T1.
  taken[number / kWordBits].fetch_and(~(uint64_t{1} << number % kWordBits), release(Ord::T2));
}

// relaxed, all: the number is this thread's, and T1 and T2 order it with others' time.
void sign(uint32_t number) {
  const uint32_t here = env::process_id();
  uint32_t nobodys = 0;
  // A child that shares this memory, or was forked without a word to us, has ids that mean nothing to others.
  const bool ours = process.compare_exchange_strong(nobodys, here, relaxed, relaxed) || nobodys == here;
  const uint64_t times = (owners[number].load(relaxed) | kId) + 1;
  owners[number].store(times | (ours ? env::thread_id() : 0), relaxed);
}

void give_back(uint32_t number) {
  owners[number].store(owners[number].load(relaxed) & ~kId, relaxed);  // relaxed: as in sign()
  set_free(number);
}

// Frees the number if its owner died without giving it back: he had it from a section in a late destructor, or in a handler in the
// last moments of his exit. What he counted is seen by whoever finds him gone, and so by the next owner. True if he lives.
bool lives(uint32_t number) {
  uint64_t owner = owners[number].load(relaxed);  // relaxed: the exchange confirms it
  if (!(owner & kId)) return false;
  if (!env::thread_is_gone(static_cast<uint32_t>(owner & kId))) return true;
  // relaxed: among those who find him dead, one frees the number; he himself, by then, is no longer there to do so.
  if (owners[number].compare_exchange_strong(owner, owner & ~kId, relaxed, relaxed)) set_free(number);
  return false;
}

bool in_owners_process() { return env::process_id() == process.load(relaxed); }  // relaxed: only a word

// One system call for each number.
void sweep() {
  if (!in_owners_process()) return;
  uint32_t living = 0;
  // relaxed, both: higher numbers are younger, and a hint
  for (uint32_t number = 1; number < ever.load(relaxed); ++number) living += lives(number);
  sweep_from.store(std::max(kFirstSweep, 2 * living), relaxed);
}

// Before the sums grow. Who sweeps has others wait for twice as many, so that few sweep at a time.
bool is_time_to_sweep(uint32_t number) {
  // relaxed, all: it is about when, not whether
  if (number < ever.load(relaxed)) return false;
  uint32_t from = sweep_from.load(relaxed);
  return number >= from && sweep_from.compare_exchange_strong(from, 2 * number, relaxed, relaxed);
}

// The lowest free number, so that sums stay short; 0 if there is none. With none left each who wants one looks after one owner.
uint32_t claim_or_find() {
  const uint32_t number = claim();
  if (!number) {
    const uint32_t suspect = refused.fetch_add(1, relaxed) % kMaxThreads;  // relaxed: any one will do
    return in_owners_process() && !lives(suspect) ? claim() : 0;
  }
  if (!is_time_to_sweep(number)) return number;
  set_free(number);
  sweep();
  return claim();
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
  const uint32_t number = claim_or_find();
  if (!number) return;
  sign(number);
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
  // relaxed, all: there is one thread
  const size_t mine = srcu_slot_offset / sizeof(srcu_slot);
  for (uint32_t word = 0; word < kMaxThreads / kWordBits; ++word) {
    uint64_t kept = word == 0 ? kNobody : 0;
    if (mine / kWordBits == word) kept |= uint64_t{1} << mine % kWordBits;
    taken[word].store(kept, relaxed);
  }
  for (uint32_t number = 1; number < ever.load(relaxed); ++number) owners[number].store(owners[number].load(relaxed) & ~kId, relaxed);
  process.store(env::process_id(), relaxed);
  if (mine) sign(mine);
}

}  // namespace srcu
