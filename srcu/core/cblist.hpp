// Callbacks in four segments, by the grace period that they wait for.
#pragma once

#include <cstdint>

#include "srcu/core/seq.hpp"
#include "srcu/srcu.h"

namespace srcu {

/// A list with a tail for each segment: DONE may run; WAIT waits for the grace period under way, NEXT_READY for the one
/// after it; NEXT has no number yet. The owner's lock guards it.
class CallbackList {
 public:
  /// At the end, in NEXT.
  void enqueue(rcu_head* head) {
    head->next = nullptr;
    *tails_[kNext] = head;
    tails_[kNext] = &head->next;
    ++count_;
  }

  /// All that waited for grace periods up to `seq` is DONE.
  void advance(uint64_t seq) {
    unsigned ready = kDone;
    while (ready + 1 < kNext && (empty(ready + 1) || seq_done(seq, seqs_[ready + 1]))) ++ready;
    if (ready == kDone) return;
    tails_[kDone] = tails_[ready];
    // What is left moves up; at most NEXT_READY is.
    unsigned to = kWait;
    for (unsigned from = ready + 1; from < kNext; ++from, ++to) {
      tails_[to] = tails_[from];
      seqs_[to] = seqs_[from];
    }
    for (; to < kNext; ++to) tails_[to] = tails_[to - 1];
  }

  /// All in NEXT waits for `seq`, a snapshot taken after it was enqueued; joins a segment that waits for it already.
  /// False if both are taken by earlier grace periods, which cannot be when the list was advanced after the snapshot
  /// was taken.
  bool accelerate(uint64_t seq) {
    unsigned at = kWait;
    while (at < kNext && !empty(at) && !seq_done(seqs_[at], seq)) ++at;
    if (at == kNext) return empty(kNext);
    if (empty(at)) seqs_[at] = seq;
    for (unsigned i = at; i < kNext; ++i) tails_[i] = tails_[kNext];
    // Segments above `at` are empty now; their numbers mean nothing.
    return true;
  }

  /// Behind the last callback, without a grace period of its own: it runs when that one has. False if there is none.
  bool entrain(rcu_head* head) {
    if (count_ == 0) return false;
    head->next = nullptr;
    rcu_head** const end = tails_[kNext];
    unsigned last = kNext;
    while (last > kDone && tails_[last - 1] == end) --last;
    *end = head;
    for (unsigned i = last; i <= kNext; ++i) tails_[i] = &head->next;
    ++count_;
    return true;
  }

  /// Takes out all that have this function.
  void drop(rcu_callback_t func) {
    for (rcu_head** at = &head_; *at;) {
      rcu_head* const head = *at;
      if (head->func != func) {
        at = &head->next;
        continue;
      }
      *at = head->next;
      for (rcu_head**& tail : tails_)
        if (tail == &head->next) tail = at;
      --count_;
    }
  }

  /// Takes DONE out, as a list through `next`. Its callbacks count until they have run: see ran().
  rcu_head* extract_done() {
    if (!done_ready()) return nullptr;
    rcu_head* const list = head_;
    rcu_head** const end = tails_[kDone];
    head_ = *end;
    *end = nullptr;
    for (rcu_head**& tail : tails_)
      if (tail == end) tail = &head_;
    return list;
  }
  void ran(uint64_t number) { count_ -= number; }

  bool done_ready() const { return tails_[kDone] != &head_; }
  /// Callbacks that have not run, those being run too.
  uint64_t count() const { return count_; }

 private:
  enum : unsigned { kDone, kWait, kNextReady, kNext, kSegments };
  bool empty(unsigned segment) const { return tails_[segment] == (segment == 0 ? &head_ : tails_[segment - 1]); }

  rcu_head* head_ = nullptr;
  rcu_head** tails_[kSegments] = {&head_, &head_, &head_, &head_};
  uint64_t seqs_[kSegments] = {};
  uint64_t count_ = 0;
};

}  // namespace srcu
