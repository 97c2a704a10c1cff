// The reader's path: one thread (or the signal handler on it) that enters sections and looks at elements.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "harness/base/random.hpp"
#include "torture/ops.hpp"
#include "torture/threads/faults.hpp"
#include "torture/threads/phase.hpp"
#include "torture/threads/station.hpp"

namespace torture {

/// A bucket and the newest generation that this visitor saw at its head.
struct Sight {
  std::atomic<Element*>* head;
  uint64_t newest = 0;
};

/// Where a visitor runs: decides what it may do inside a section.
enum class Level { kTask, kSignal };

/// One reader at one level. The hot path, plain(), adds no locked instruction, no fence and no store to a
/// shared line: it would hide the bugs it is to find. Its counters have one writer.
class Visitor {
 public:
  /// `id` < kMaxVisitors is its flag in each element; `peers` (all visitors, this one too) must outlive it
  /// and be complete before the first section.
  Visitor(const Ops& ops, void* domain, const std::vector<Station*>& stations,
          const std::vector<Visitor*>& peers, unsigned id, Level level, uint64_t seed);

  /// The context that thread_register gave; on the visitor's thread, before its first section.
  void attach(void* ctx) {
    ctx_ = ctx;
    tid_.store(gettid(), std::memory_order_relaxed);  // relaxed: a name to send signals to
  }
  /// After the thread's last section.
  void detach() { tid_.store(0, std::memory_order_relaxed); }  // relaxed: as in attach()
  void* ctx() const { return ctx_; }
  /// The thread that it is attached to, 0 if none.
  pid_t tid() const { return tid_.load(std::memory_order_relaxed); }  // relaxed: as in attach()

  /// One plain section: lock, look at one element, read its pipe, unlock.
  [[gnu::always_inline]] inline void plain();

  /// One open section.
  struct Stay {
    uint64_t token, cookie, batch;
    Element* element;
    bool has_cookie, flagged;
  };
  /// Opens one, and closes it; another visitor, on its own thread, may close it where the scheme lets it and the phase
  /// wants no flags.
  Stay enter(const Phase& phase);
  void leave(const Stay& stay);

  /// One section, or a chain of them, with all that the phase wants.
  void special(const Phase& phase);

  /// The next section of a torture loop: plain, or now and then special.
  [[gnu::always_inline]] inline void step(const Phase& phase) {
    if (phase.stuffing) stuff();
    if (--until_special_ == 0) [[unlikely]] {
      const auto plain_ones = static_cast<uint32_t>(random_.below(phase.stays ? 8 : 64));
      until_special_ = 1 + plain_ones;
      until_cookie_ -= plain_ones;
      special(phase);
    } else {
      plain();
    }
  }

  /// Hand over hand `links` times, or until `stop` says so.
  template <class Stop>
  void relay(const Phase& phase, unsigned links, Stop stop) {
    Stay stay = enter(phase);
    for (; links > 0 && !stop(); --links) {
      const Stay next = enter(phase);
      leave(stay);
      stay = next;
    }
    leave(stay);
  }

  /// An updater saw the end of a grace period over `sighting`'s section: this visitor shall look whether it
  /// sees the progress noted there.
  void deliver(uint64_t sighting);

  Level level() const { return level_; }
  uint64_t sections() const;
  /// Of the sections that were not plain: those in which some grace period was being waited for at the end.
  uint64_t overlapping() const { return peek(overlapping_); }
  /// What a visitor keeps to itself about its sections. One counts as open from the call of its lock to its
  /// last look, right before the unlock: a thread that hangs in the scheme's lock is inside, one that hangs
  /// in its unlock is not.
  struct Whereabouts {
    uint64_t entered, open;
    bool delays;  ///< On purpose.
  };
  /// On its own thread only: there, in a signal handler.
  Whereabouts whereabouts() const;
  uint64_t progress() const { return peek(pipe_[0]); }
  uint64_t pipe(size_t i) const { return peek(pipe_[i]); }
  uint64_t batch(size_t i) const { return peek(batch_[i]); }
  /// True while it delays on purpose inside a section: what the torture holds up is no fault of the scheme.
  bool delaying() const {
    return delaying_.load(std::memory_order_relaxed);
  }  // relaxed: a hint for the stall watch
  const Faults& faults() const { return faults_; }

 private:
  [[gnu::always_inline]] inline Element* load(std::atomic<Element*>& slot);
  [[gnu::always_inline]] inline void look(Sight& sight, Element* e);
  [[gnu::always_inline]] inline void tally(Element* e);
  [[gnu::always_inline]] inline void tally_batch(uint64_t batch);
  [[gnu::always_inline]] inline Sight& next_sight();
  [[gnu::always_inline]] inline uint64_t lock();
  [[gnu::always_inline]] inline void stuff();
  [[gnu::cold, gnu::noinline]] void make_stuffing();
  static constexpr size_t kStuffing = (64U << 20) / sizeof(uint64_t);
  int64_t next_cookie();
  void walk(Element* e);
  void linger();
  void dawdle();
  void read_inbox();
  void note_sighting(Element* e);
  [[gnu::cold, gnu::noinline]] void bad_look(Element* e, uint64_t generation, uint64_t payload,
                                             uint64_t newest);
  [[gnu::cold, gnu::noinline]] void bad_pipe(uint32_t pipe);
  [[gnu::cold, gnu::noinline]] void near_miss(uint64_t passed);

  // First what the hot path reads.
  uint64_t (*read_lock_)(void*, void*);
  void (*read_unlock_)(void*, void*, uint64_t);
  void* (*protect_)(void*, void*, void**);
  uint64_t (*gp_seq_)(void*);
  void* domain_;
  void* ctx_ = nullptr;
  std::vector<Sight> sights_;
  size_t at_ = 0;
  uint64_t entered_ = 0;
  uint32_t until_special_ = 1;
  Level level_;
  alignas(64) std::array<std::atomic<uint64_t>, kPipeSlots> pipe_{};
  std::array<std::atomic<uint64_t>, kPipeSlots> batch_{};
  std::unique_ptr<uint64_t[]> stuffing_;  // our own; made when first wanted

  const Ops& ops_;
  const std::vector<Station*> stations_;
  const std::vector<Visitor*>& peers_;
  harness::Random random_;
  int64_t until_cookie_;  // sections, plain ones too
  unsigned id_;
  std::atomic<pid_t> tid_{0};
  std::atomic<bool> delaying_{false};
  std::atomic<uint64_t> overlapping_{0};
  alignas(64) std::atomic<uint64_t> inbox_{0};
  Faults faults_;
};

inline Sight& Visitor::next_sight() {
  if (++at_ >= sights_.size()) at_ = 0;
  return sights_[at_];
}

// Counts before the lock, as tally() does before the unlock, so that nothing is added inside the section. A
// signal handler on this thread reads both counts as they stand: a thread sees its own stores in order, and
// the compiler carries none over a call through a pointer, of which one stands between each of them and the
// next. So no fence is needed, not even one for signals.
inline uint64_t Visitor::lock() {
  ++entered_;
  return read_lock_(domain_, ctx_);
}

inline Element* Visitor::load(std::atomic<Element*>& slot) {
  static_assert(sizeof(std::atomic<Element*>) == sizeof(void*));
  if (protect_) return static_cast<Element*>(protect_(domain_, ctx_, reinterpret_cast<void**>(&slot)));
  // consume: pairs with [publish] in Station; orders the pointer before what it points to. Free on x86.
  return slot.load(std::memory_order_consume);
}

inline void Visitor::look(Sight& sight, Element* e) {
  // relaxed, both: ordered by the dependency on the pointer
  const uint64_t generation = e->generation.load(std::memory_order_relaxed);
  const uint64_t payload = e->payload.load(std::memory_order_relaxed);
  if (payload != seal(generation) || generation < sight.newest) [[unlikely]] {
    bad_look(e, generation, payload, sight.newest);
  } else {
    sight.newest = generation;
  }
}

inline void Visitor::tally(Element* e) {
  // relaxed: the last look before the unlock; the scheme must order it before the end of the grace period
  const uint32_t pipe = e->pipe.load(std::memory_order_relaxed);
  if (pipe > 1) [[unlikely]]
    bad_pipe(pipe);
  bump(pipe_[pipe < kPipeLength ? pipe : kPipeLength]);
}

inline void Visitor::tally_batch(uint64_t batch) {
  if (!gp_seq_) return;
  const uint64_t passed = gp_seq_(domain_) - batch;
  if (passed > 1) [[unlikely]]
    near_miss(passed);
  bump(batch_[passed < kPipeLength ? passed : kPipeLength]);
}

// Stores to random lines of more memory than caches hold wait long in the store buffer, and what is stored after them
// waits behind.
inline void Visitor::stuff() {
  if (level_ == Level::kSignal) return;
  if (!stuffing_) [[unlikely]]
    make_stuffing();
  uint64_t at = random_.next();
  for (unsigned i = 0; i < 8; ++i) {
    at = at * 6364136223846793005ULL + 1442695040888963407ULL;
    // relaxed: values nobody reads; the stores themselves are the point
    std::atomic_ref(stuffing_[(at >> 32) % kStuffing]).store(at, std::memory_order_relaxed);
  }
}

inline void Visitor::plain() {
  Sight& sight = next_sight();
  const uint64_t token = lock();
  const uint64_t batch = gp_seq_ ? gp_seq_(domain_) : 0;
  Element* e = load(*sight.head);
  look(sight, e);
  tally(e);
  tally_batch(batch);
  read_unlock_(domain_, ctx_, token);
}

}  // namespace torture
