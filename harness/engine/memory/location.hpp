// An atomic object: its stores in modification order, which here is the order in which they were executed, and what each
// thread has met of them.
#pragma once

#include <algorithm>

#include "harness/engine/memory/view.hpp"

namespace engine::memory {

struct Store {
  Value value;
  const View* message;  ///< Whoever acquires this value joins it; null for none. It holds the whole release sequence's.
  ThreadId by = kMaxThreads;  ///< Who brought the value in; kMaxThreads: it came into memory by other ways.
};

/// How a thread came up along the modification order: by which epoch it had read or written which store.
class Climb {
 public:
  uint32_t highest() const { return last_.store; }

  void reach(Arena& arena, Epoch epoch, uint32_t store) {
    if (store <= last_.store) return;
    if (last_.epoch != epoch && last_.epoch != 0) older_.push(arena, last_);
    last_ = {epoch, store};
  }

  /// The newest store met by `epoch`.
  uint32_t by(Epoch epoch) const {
    if (last_.epoch <= epoch) return last_.store;
    const Mark* later = std::upper_bound(older_.begin(), older_.end(), epoch, [](Epoch e, const Mark& m) { return e < m.epoch; });
    return later == older_.begin() ? 0 : later[-1].store;
  }

 private:
  struct Mark {
    Epoch epoch, store;
  };
  Mark last_{0, 0};
  Growing<Mark> older_;
};

/// A thread's dealings with one location; the last read and write are for races with accesses of another kind.
struct Visitor {
  Climb climb;
  Epoch read = 0, written = 0;
  uintptr_t read_pc = 0, written_pc = 0;
};

struct Location {
  uintptr_t address;
  uint32_t size;
  bool rewritten = false;  ///< By an access of another kind or size: what memory holds is not the newest store.
  uint32_t first = 0;      ///< Older stores are nobody's any more.
  Growing<Store> stores;
  Climb sc;  ///< Of the seq_cst accesses, by the epochs of S.
  Visitor* visitors = nullptr;
  uint32_t visitor_count = 0;

  Visitor& visitor(Arena& arena, ThreadId thread, uint32_t threads) {
    if (thread >= visitor_count) make_room(arena, std::max(thread + 1, threads));
    return visitors[thread];
  }

  uint32_t newest() const { return stores.size() - 1; }

  /// The oldest store that coherence lets a thread with this view read: none older than one that it wrote or read itself, or
  /// that was written or read in what happens before (write-read and read-read coherence, [intro.races]/18 and /16), or
  /// before a seq_cst fence that precedes one of ours ([atomics.order]/4.4, and /4.3 for seq_cst accesses).
  uint32_t oldest_for(const View& view) const {
    uint32_t oldest = std::max(first, sc.by(view.sc));
    const uint32_t known = std::min(visitor_count, view.width);
    for (uint32_t thread = 0; thread < known; ++thread)
      oldest = std::max(oldest, visitors[thread].climb.by(view.of[thread].seen));
    return oldest;
  }

  bool overlaps(uintptr_t other, uint32_t other_size) const { return other < address + size && address < other + other_size; }

 private:
  void make_room(Arena& arena, uint32_t count) {
    Visitor* made = static_cast<Visitor*>(arena.take(count * sizeof(Visitor)));
    if (visitor_count) memcpy(static_cast<void*>(made), visitors, visitor_count * sizeof(Visitor));
    for (uint32_t i = visitor_count; i < count; ++i) new (&made[i]) Visitor();
    visitors = made;
    visitor_count = count;
  }
};

}  // namespace engine::memory
