// Grace periods: the argument for each label stands in srcu/DESIGN.md.
//
// One thread at a time drives a domain. It starts a grace period, fences once (A), and then looks until it has seen, for
// each rank, all sections closed that were open at A. Flipping the rank in between keeps new readers from holding that up.
#include "srcu/core/usage.hpp"
#include "srcu/platform/atomic.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/platform/freeze.hpp"

namespace srcu {
namespace {

// Sums are compared modulo 2^SRCU_COUNTER_BITS. Checking builds make it small, so that the wrap argument runs.
#ifndef SRCU_COUNTER_BITS
#define SRCU_COUNTER_BITS 64
#endif
constexpr uint64_t kCounterMask = SRCU_COUNTER_BITS == 64 ? ~uint64_t{0} : (uint64_t{1} << SRCU_COUNTER_BITS % 64) - 1;

// New readers may open any number of sections in the current rank during one look: more than narrow counters can bear.
constexpr bool kLooksWithoutFlip = SRCU_COUNTER_BITS == 64;

constexpr uint64_t kMs = 1'000'000, kUs = 1'000;
constexpr unsigned kSpins = 20;  // looks without sleeping in between

uint64_t sum_unlocks(const Usage& usage, uint32_t rank) {
  uint64_t sum = 0;
  const uint32_t threads = threads_ever();
  // ORD(U): pairs with C: every unlock that is counted brings along its section, and its lock for the next sum.
  for (uint32_t i = 0; i < threads; ++i)
    sum += __atomic_load_n(&usage.slots[i].rank[rank].unlock, SRCU_ORDERED(U, __ATOMIC_ACQUIRE)) +
           __atomic_load_n(&usage.slots[i].updown[rank].unlock, SRCU_ORDERED(U, __ATOMIC_ACQUIRE));
  return sum;
}

uint64_t sum_locks(const Usage& usage, uint32_t rank) {
  uint64_t sum = 0;
  const uint32_t threads = threads_ever();  // again: a thread may have come since the sum of unlocks
  // relaxed: a section opened since A need not be seen, and those before are by the fence.
  for (uint32_t i = 0; i < threads; ++i)
    sum += __atomic_load_n(&usage.slots[i].rank[rank].lock, __ATOMIC_RELAXED) +
           __atomic_load_n(&usage.slots[i].updown[rank].lock, __ATOMIC_RELAXED);
  return sum;
}

// Unlocks first: an unlock that is counted has its lock counted too, so equal sums leave no old section open.
bool sums_equal(const Usage& usage, uint32_t rank) {
  const uint64_t unlocks = sum_unlocks(usage, rank);
  return ((sum_locks(usage, rank) - unlocks) & kCounterMask) == 0;
}

// ORD(A): pairs with B of each reader, and G of each who asked. Before: whoever asked for this grace period
// had unpublished; the sequence says that it began. After: the sums.
void fence_readers(const Usage& usage) {
  fence(Ord::A);
  if (usage.fast && usage.shown && fences(Ord::A)) env::membarrier();
}

uint32_t current_rank(const Usage& usage) { return usage.rank.load(relaxed); }  // relaxed: the driver writes it

void flip(Usage& usage) {
  usage.rank.store(1 - current_rank(usage), relaxed);  // relaxed: any rank is safe for a reader to take
  show_rank(usage);
  // ORD(D): pairs with B: a reader that has gone through its fence since takes the new rank the next time. Bounds
  // how many sections may still be opened in the old one during the sums, and so the width that counters need.
  fence(Ord::D);
}

bool start(Usage& usage) {
  await_thaw();
  const IrqLocked locked(usage.lock);
  const uint64_t seq = usage.gp_seq.load(relaxed);  // relaxed: written under the lock by the driver, which we are
  if (seq_done(seq, usage.gp_seq_needed.load(relaxed))) return false;  // relaxed: the lock
  // ORD(Q1): pairs with Q2: that the one before has ended is seen by whoever sees that this one has begun. A is no help
  // to him: it comes after the store, and what the sums before it saw must come along.
  usage.gp_seq.store(seq + static_cast<uint64_t>(GpState::kScan1), release(Ord::Q1));
  usage.fenced = usage.drained[0] = usage.drained[1] = false;
  usage.looks = 0;
  return true;
}

void wake_waiters(Usage& usage) {
  // ORD(W1): pairs with W2: who reads the new word sees the sequence and the free role.
  usage.changed.fetch_add(1, release(Ord::W1));
  env::futex_wake(usage.changed);
}

void end(Usage& usage) {
  await_thaw();
  {
    const IrqLocked locked(usage.lock);
    const uint64_t seq = usage.gp_seq.load(relaxed);  // relaxed: as in start()
    // ORD(Q1): pairs with Q2: what the sums saw of readers is seen by whoever sees the grace period ended.
    usage.gp_seq.store(seq_end(seq), release(Ord::Q1));
  }
  usage.looks = 0;
  // relaxed: who posted for this grace period did so inside a section that it waited for
  if (usage.data.waiting.load(relaxed)) usage.host->queue_delayed_work(usage.data.invoke_work, 0);
  // ORD(R2), as in leave(): an exchange, not a look, for a waiter may ask between our store of the sequence and a look at
  // its wish, and sleep on what it saw before that.
  if (usage.driver.fetch_and(~kAsked, acq_rel(Ord::R2)) & kAsked)
    wake_waiters(usage);
}

bool look(Usage& usage, uint32_t rank) {
  if (!usage.drained[rank]) usage.drained[rank] = sums_equal(usage, rank);
  return usage.drained[rank];
}

enum class Step { kIdle, kWaiting, kAdvanced };

// One state of the machine. The driver alone.
Step step(Usage& usage) {
  const GpState state = seq_state(usage.gp_seq.load(relaxed));  // relaxed: the driver writes it
  if (state == GpState::kIdle && !start(usage)) return Step::kIdle;
  if (!usage.fenced) {
    fence_readers(usage);
    usage.fenced = true;
  }
  const uint32_t current = current_rank(usage);
  const bool old_drained = look(usage, 1 - current);
  const bool may_end = kLooksWithoutFlip || state == GpState::kScan2;
  if (old_drained && may_end && look(usage, current)) {  // also without a flip, when nobody happens to read
    end(usage);
    return Step::kAdvanced;
  }
  ++usage.looks;
  if (!old_drained || state == GpState::kScan2) return Step::kWaiting;
  flip(usage);
  usage.looks = 0;
  // ORD(Q1): as in start(): the end of the one before may be seen by this store, too. relaxed: the driver writes it
  const uint64_t seq = usage.gp_seq.load(relaxed);
  usage.gp_seq.store((seq & ~kSeqState) | static_cast<uint64_t>(GpState::kScan2), release(Ord::Q1));
  return Step::kAdvanced;
}

// How long to leave the readers alone. Spinning on would take a CPU that they may need.
uint64_t pause_ns(const Usage& usage) {
  if (usage.looks <= kSpins) return 0;
  const uint64_t longest = expedited(usage) ? 100 * kUs : kMs;
  const uint64_t doublings = (usage.looks - kSpins) / 4;
  return doublings > 10 ? longest : (kUs << doublings) < longest ? kUs << doublings : longest;
}

// How long a domain rests between grace periods, so that each serves many callbacks. With many waiting it rests less,
// but it does rest: grace periods on end have the helper take the posters' cache lines all the time.
uint64_t turn_ns(const Usage& usage) {
  constexpr uint64_t kMany = 10'000;
  const bool idle = seq_state(usage.gp_seq.load(relaxed)) == GpState::kIdle;  // relaxed: the driver writes it
  if (!idle || expedited(usage)) return 0;
  return usage.data.waiting.load(relaxed) > kMany ? 100 * kUs : kMs;  // relaxed: a pace
}

bool try_drive(Usage& usage) {
  uint32_t seen = usage.driver.load(relaxed);  // relaxed: the exchange confirms it
  uint32_t wanted = 0;
  do {
    wanted = seen & kDriven ? kDriven | kAsked : kDriven;
    // ORD(R1): pairs with R2: the last driver's notes are seen; or, failing, our wish is by the present one.
  } while (!usage.driver.compare_exchange_weak(seen, wanted, acq_rel(Ord::R1), relaxed));
  return !(seen & kDriven);
}

void leave(Usage& usage, uint64_t turn_ns) {
  // ORD(R2): pairs with R1, both ways: the next driver sees our notes; we see the wish of who failed to be one.
  const bool asked = usage.driver.exchange(0, acq_rel(Ord::R2)) & kAsked;
  // relaxed: who asked after our last look found the role free, or the domain idle
  const bool more = !seq_done(usage.gp_seq.load(relaxed), usage.gp_seq_needed.load(relaxed));
  if (more) usage.host->queue_delayed_work(usage.gp_work, turn_ns);
  if (asked) wake_waiters(usage);
}

void raise(std::atomic<uint64_t>& word, uint64_t seq) {
  uint64_t seen = word.load(relaxed);  // relaxed, all: under a lock, or left_for_thaw() follows
  while (!seq_done(seen, seq) && !word.compare_exchange_weak(seen, seq, relaxed, relaxed)) {
  }
}

void relax_for(uint64_t ns) {
  if (ns) return env::sleep_ns(ns);
  for (unsigned i = 0; i < 20; ++i) env::cpu_relax();
}

}  // namespace

bool expedited(const Usage& usage) {
  // relaxed, both: a pace
  return !seq_done(usage.gp_seq.load(relaxed), usage.gp_seq_needed_exp.load(relaxed));
}

void show_rank(Usage& usage) {
  // ORD(S1): pairs with S2: as the pointer's first value.
  if (usage.shown)
    __atomic_store_n(&usage.domain->srcu_current, &usage.slots[0].rank[current_rank(usage)], SRCU_ORDERED(S1, __ATOMIC_RELEASE));
}

uint64_t snapshot(const Usage& usage) {
  // ORD(G): pairs with A, pattern SB: our unpublication comes before the look. Without it we might count on a grace
  // period that has begun, and whose readers need not see the unpublication.
  fence(Ord::G);
  return seq_snap(usage.gp_seq.load(relaxed));  // relaxed: between fences
}

// ORD(Q2): pairs with Q1.
bool done(const Usage& usage, uint64_t seq) { return seq_done(usage.gp_seq.load(acquire(Ord::Q2)), seq); }

void request(Usage& usage, uint64_t seq, bool hurry, bool kick) {
  const auto ask = [&] {
    raise(usage.gp_seq_needed, seq);
    if (hurry) raise(usage.gp_seq_needed_exp, seq);
    const bool idle = seq_state(usage.gp_seq.load(relaxed)) == GpState::kIdle;  // relaxed: under the lock
    if (kick && (idle || hurry)) usage.strategy->kick(usage);
  };
  if (kick) return locked_or_left(usage.lock, ask, [&] { raise(hurry ? usage.gp_seq_left_exp : usage.gp_seq_left, seq); });
  await_thaw();
  const IrqLocked locked(usage.lock);
  ask();
}

void wait_for(Usage& usage, uint64_t seq) {
  while (!done(usage, seq)) {
    // ORD(W2): pairs with W1: read before we ask, so that an answer in between is no change that we sleep through.
    const uint32_t seen = usage.changed.load(acquire(Ord::W2));
    if (try_drive(usage)) {
      while (!done(usage, seq) && step(usage) != Step::kIdle) {
        if (!done(usage, seq) && usage.looks) relax_for(pause_ns(usage));
      }
      leave(usage, turn_ns(usage));
    } else if (!done(usage, seq)) {
      env::futex_wait(usage.changed, seen);
    }
  }
}

void process_grace_periods(void* owner) {
  auto& usage = *static_cast<Usage*>(owner);
  if (!try_drive(usage)) return;
  uint64_t turn = 0;
  while (turn == 0 && step(usage) != Step::kIdle) {
    turn = usage.looks ? pause_ns(usage) : turn_ns(usage);
    if (turn == 0) relax_for(0);
  }
  leave(usage, turn);
}

int64_t open_sections(const Usage& usage, uint32_t rank) {
  const uint64_t unlocks = sum_unlocks(usage, rank);
  return static_cast<int64_t>(sum_locks(usage, rank) - unlocks);
}

int64_t open_updown_sections(const Usage& usage, uint32_t rank) {
  int64_t open = 0;
  // ORD(U): as in sum_unlocks(). relaxed: as in sum_locks()
  for (uint32_t i = 0, threads = threads_ever(); i < threads; ++i)
    open -= static_cast<int64_t>(__atomic_load_n(&usage.slots[i].updown[rank].unlock, SRCU_ORDERED(U, __ATOMIC_ACQUIRE)));
  for (uint32_t i = 0, threads = threads_ever(); i < threads; ++i)
    open += static_cast<int64_t>(__atomic_load_n(&usage.slots[i].updown[rank].lock, __ATOMIC_RELAXED));
  return open;
}

}  // namespace srcu
