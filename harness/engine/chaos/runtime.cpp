#include "harness/engine/chaos/runtime.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/splitmix.hpp"

namespace engine::chaos {

constinit std::atomic<uint64_t> current{0};

namespace {

constexpr unsigned kThreads = 1024;  // at once; any beyond that are left alone until some have ended
constexpr unsigned kWords = kSites / 64;

/// A thread's own: it is the only writer, so that relaxed loads and stores do for all of it, but for who owns it.
struct alignas(64) Slot {
  std::atomic<pid_t> owner{0};
  std::atomic<uint64_t> run{0};  ///< Which begin() the rest is from.
  std::array<std::atomic<uint64_t>, kActions> counts{};
  std::array<std::atomic<uint64_t>, kWords> seen{};
  uint64_t stream = 0;
};

constinit std::array<Slot, kThreads> slots{};
/// Stored in this order by begin(); the second publishes the first.
constinit std::atomic<uint64_t> seed_now{0}, run_now{0};
constinit std::atomic<uint64_t> units_seen{0};  // relaxed: a count
/// Where to look for a slot first: none below is free, as far as is known. relaxed: a hint.
constinit std::atomic<unsigned> maybe_free{0};
/// How often reap() has made room. relaxed: who looks late tries again at a later access.
constinit std::atomic<uint64_t> rooms_made{1};

/// Initial-exec: a first access may be in a handler, which must not allocate.
struct Own {
  Slot* slot;
  bool busy;            ///< Its owner is inside; a handler that interrupts that goes on undisturbed.
  uint64_t refused_at;  ///< What rooms_made was when there was no slot left; 0: never.
};
thread_local constinit Own own [[gnu::tls_model("initial-exec")]] {};

void add(std::atomic<uint64_t>& count) {
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // relaxed: single writer
}

uint64_t below(uint64_t& stream, uint64_t bound) { return (harness::splitmix(stream) >> 32) * bound >> 32; }

Slot* claimed() {
  const pid_t tid = gettid();
  const unsigned first = maybe_free.load(std::memory_order_relaxed);
  for (unsigned i = 0; i < kThreads; ++i) {
    const unsigned at = (first + i) % kThreads;
    pid_t nobody = 0;
    // relaxed load: the exchange decides. acquire: pairs with the release in reap(), after which the last owner's counts stand.
    if (slots[at].owner.load(std::memory_order_relaxed) == 0 &&
        slots[at].owner.compare_exchange_strong(nobody, tid, std::memory_order_acquire, std::memory_order_relaxed)) {
      maybe_free.store((at + 1) % kThreads, std::memory_order_relaxed);
      return &slots[at];
    }
  }
  return nullptr;
}

void renew(Slot& slot, uint64_t run) {
  for (auto& count : slot.counts) count.store(0, std::memory_order_relaxed);
  for (auto& word : slot.seen) word.store(0, std::memory_order_relaxed);
  // relaxed: after the acquire of `run`. Should it be the next run's already, the next access renews it all once more.
  slot.stream = harness::Random(seed_now.load(std::memory_order_relaxed), "chaos thread", &slot - slots.data()).next();
  slot.run.store(run, std::memory_order_release);  // pairs with the acquire in `fresh`: not last run's counts
}

// relaxed: whoever asks has called begin(), or was told of it by who did.
bool fresh(const Slot& slot) {
  return slot.run.load(std::memory_order_acquire) == run_now.load(std::memory_order_relaxed);
}

Slot* own_slot() {
  if (!own.slot) {
    const uint64_t made = rooms_made.load(std::memory_order_relaxed);
    if (own.refused_at == made) return nullptr;
    own.slot = claimed();
    if (!own.slot) own.refused_at = made;
  }
  if (!own.slot) return nullptr;
  // acquire: pairs with the release in begin(), for the seed. A word may be seen before its run is: it then disturbs by the last
  // run's stream. relaxed: this thread's own.
  if (const uint64_t run = run_now.load(std::memory_order_acquire);
      own.slot->run.load(std::memory_order_relaxed) != run)
    renew(*own.slot, run);
  return own.slot;
}

struct Deed {
  Action action = Action::kNone;
  uint64_t drawn = 0;  ///< How much of it.
};

Deed decided(Slot& slot, uint64_t word, Site site) {
  auto& seen_here = slot.seen[site / 64];
  const uint64_t bit = uint64_t{1} << site % 64, before = seen_here.load(std::memory_order_relaxed);
  if (!(before & bit)) seen_here.store(before | bit, std::memory_order_relaxed);  // relaxed: single writer
  const Part part = part_of(Epoch::of(word), site);
  if (part.one_in == 0 || below(slot.stream, part.one_in) != 0) return {};
  unsigned left = static_cast<unsigned>(below(slot.stream, static_cast<uint64_t>(__builtin_popcount(part.actions))));
  unsigned index = 0;
  while (!(part.actions >> index & 1) || left-- > 0) ++index;
  add(slot.counts[index]);
  return {static_cast<Action>(index + 1), harness::splitmix(slot.stream)};
}

void relax_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#else
  __asm__ __volatile__("");
#endif
}

/// At most some microseconds; or as long as the shortest sleep takes, or up to 50 us more.
void carry_out(const Deed& deed) {
  const int saved = errno;
  uint64_t stream = deed.drawn;
  if (deed.action == Action::kYield) sched_yield();
  if (deed.action == Action::kSpin)
    for (uint64_t left = below(stream, uint64_t{1} << below(stream, 8)) + 1; left > 0; --left) relax_cpu();
  if (deed.action == Action::kSleep) {
    const timespec time{0, static_cast<long>(1 + (harness::splitmix(stream) & 1 ? below(stream, 50'000) : 0))};
    // Not libc's, in which a thread can be cancelled: no atomic access is such a point. Cut short by a signal it is as good.
    syscall(SYS_nanosleep, &time, nullptr);
  }
  errno = saved;
}

// Where it stands in the program, compilers move nothing across: a handler finds all of it, or nothing.
void here() { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace

void disturb(uint64_t word, const void* return_address) {
  if (own.busy) return;
  own.busy = true;
  here();
  Deed deed;
  if (Slot* slot = own_slot()) deed = decided(*slot, word, site_of(return_address));
  here();
  own.busy = false;
  if (deed.action != Action::kNone) carry_out(deed);
}

void begin(uint64_t seed) {
  current.store(0, std::memory_order_relaxed);  // relaxed: see point()
  seed_now.store(seed, std::memory_order_relaxed);
  // release: pairs with the acquire in own_slot(). The load is relaxed, since only begin() writes.
  run_now.store(run_now.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

std::vector<Site> seen() {
  std::array<uint64_t, kWords> seen_by_any{};
  for (const Slot& slot : slots) {
    if (!fresh(slot)) continue;
    for (unsigned word = 0; word < kWords; ++word) seen_by_any[word] |= slot.seen[word].load(std::memory_order_relaxed);
  }
  std::vector<Site> sites;
  for (unsigned word = 0; word < kWords; ++word)
    for (uint64_t bits = seen_by_any[word]; bits != 0; bits &= bits - 1)
      sites.push_back(static_cast<Site>(word * 64 + static_cast<unsigned>(__builtin_ctzll(bits))));
  return sites;
}

void reap() {
  const pid_t process = getpid();
  unsigned lowest = kThreads;
  bool made_room = false;
  for (unsigned i = kThreads; i-- > 0;) {
    // relaxed: who it is says all. That it has ended, the kernel says, and what it wrote before that is there to be seen.
    const pid_t owner = slots[i].owner.load(std::memory_order_relaxed);
    const bool ended = owner != 0 && tgkill(process, owner, 0) != 0 && errno == ESRCH;
    if (ended) slots[i].owner.store(0, std::memory_order_release);  // pairs with the acquire in claimed()
    made_room |= ended;
    if (owner == 0 || ended) lowest = i;
  }
  if (lowest != kThreads) maybe_free.store(lowest, std::memory_order_relaxed);
  if (made_room) rooms_made.store(rooms_made.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // relaxed: single writer
}

std::vector<Counts> counts_by_thread() {
  std::vector<Counts> all;
  for (const Slot& slot : slots) {
    if (!fresh(slot)) continue;
    const auto count = [&slot](unsigned i) { return slot.counts[i].load(std::memory_order_relaxed); };  // relaxed: a count
    all.push_back({count(0), count(1), count(2)});
  }
  return all;
}

bool linked() { return true; }
void note_unit() { units_seen.fetch_add(1, std::memory_order_relaxed); }
uint64_t units() { return units_seen.load(std::memory_order_relaxed); }

}  // namespace engine::chaos
