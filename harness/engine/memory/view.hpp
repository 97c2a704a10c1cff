// What a thread, or a message between threads, knows of the others: how far each of them had come.
//
// A thread's epoch is a number that grows whenever it publishes what it knows (a release operation or fence, the start of a
// thread ...), so "thread u up to epoch e" names a set of its operations. There are two such sets for each thread:
//   happened  what happens before (C++20 [intro.races]/10): data races are judged by it;
//   seen      what coherence must respect. It holds all that happened, and what seq_cst fences add: their order S binds what
//             atomic loads may read ([atomics.order]/4), but makes nothing happen before anything.
// No view speaks of locations: each location knows which of its stores a thread had met by which epoch (location.hpp).
#pragma once

#include <algorithm>

#include "harness/engine/memory/arena.hpp"
#include "harness/engine/memory.hpp"

namespace engine::memory {

using Epoch = uint32_t;

/// What it knows of a thread beyond its width is 0: nothing.
struct View {
  struct Part {
    Epoch happened, seen;
  };

  Part* of = nullptr;
  uint32_t width = 0;
  Epoch sc = 0;  ///< The seq_cst accesses that a seq_cst fence put before us; an epoch of the order S, as if S were a thread.

  Epoch happened(ThreadId thread) const { return thread < width ? of[thread].happened : 0; }
  Epoch seen(ThreadId thread) const { return thread < width ? of[thread].seen : 0; }

  void clear() {
    width = 0;
    sc = 0;
  }

  void widen(uint32_t to) {
    for (; width < to; ++width) of[width] = {0, 0};
  }

  void join(const View& other) {
    widen(other.width);
    for (uint32_t i = 0; i < other.width; ++i) {
      of[i].happened = std::max(of[i].happened, other.of[i].happened);
      of[i].seen = std::max(of[i].seen, other.of[i].seen);
    }
    sc = std::max(sc, other.sc);
  }

  /// Of the other, what coherence must respect; nothing comes to happen before.
  void see(const View& other) {
    widen(other.width);
    for (uint32_t i = 0; i < other.width; ++i) of[i].seen = std::max(of[i].seen, other.of[i].seen);
    sc = std::max(sc, other.sc);
  }

  /// A copy that lasts as long as the arena, with room for `room` threads if that is more.
  View* copy(Arena& arena, uint32_t room = 0) const {
    View* made = arena.make<View>();
    made->of = static_cast<Part*>(arena.take(std::max(room, width) * sizeof(Part)));
    if (width) memcpy(made->of, of, width * sizeof(Part));
    made->width = width;
    made->sc = sc;
    return made;
  }
};

/// A view with room for all threads.
struct WideView : View {
  WideView() { of = room; }
  WideView(const WideView&) = delete;
  WideView& operator=(const WideView&) = delete;
  Part room[kMaxThreads];
};

}  // namespace engine::memory
