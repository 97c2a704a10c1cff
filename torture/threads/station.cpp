#include "torture/threads/station.hpp"

#include <algorithm>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"

namespace torture {

Shape Shape::of(const std::string& workload) {
  if (workload == "pointer") return {1, 1};
  if (workload == "list") return {1, 8};
  if (workload == "hash") return {8, 3};
  throw harness::UsageError("workload '" + workload + "' is unknown; choose pointer, list or hash");
}

Station::Station(Shape shape, uint64_t seed, unsigned index)
    : shape_(shape), random_(seed, "station", index), buckets_(new Bucket[shape.buckets]) {
  const unsigned count = shape.buckets * shape.length + kSpareElements;
  pool_.reset(new Element[count]);
  for (unsigned i = 0; i < count; ++i) {
    pool_[i].home = this;
    free(&pool_[i]);
  }
  for (unsigned b = 0; b < shape.buckets; ++b) {
    for (unsigned n = 0; n < shape.length; ++n) {
      publish(take_free(), buckets_[b].head,
              buckets_[b].head.load(std::memory_order_relaxed));  // relaxed: no reader yet
    }
  }
}

// First in, first out: a freed element keeps its poison as long as can be, for late readers to see.
void Station::free(Element* e) {
  e->payload.store(kPoison,
                   std::memory_order_relaxed);  // relaxed: a reader that sees it has outlived a grace period
  e->link = nullptr;
  (free_ ? free_tail_->link : free_) = e;
  free_tail_ = e;
  ++free_count_;
}

Element* Station::take_free() {
  Element* e = free_;
  if (e) {
    free_ = e->link;
    --free_count_;
  }
  return e;
}

void Station::publish(Element* e, std::atomic<Element*>& at, Element* next) {
  ++generation_;
  // relaxed, all five: the release below publishes them.
  e->pipe.store(0, std::memory_order_relaxed);
  e->generation.store(generation_, std::memory_order_relaxed);
  e->payload.store(seal(generation_), std::memory_order_relaxed);
  e->sighting.store(0, std::memory_order_relaxed);
  e->next.store(next, std::memory_order_relaxed);
  // release [publish]: pairs with the consume in Visitor::load. Orders the element's content before the
  // pointer to it; without it a reader sees old payload: memory_order.
  at.store(e, std::memory_order_release);
}

Element* Station::replace() {
  Element* fresh = take_free();
  if (!fresh) return nullptr;
  bump(left_stage_[0]);
  // relaxed loads of the chain throughout: only this thread changes it.
  auto& head = buckets_[random_.below(shape_.buckets)].head;
  Element* const first = head.load(std::memory_order_relaxed);
  Element* victim = first;
  if (const auto position = random_.below(shape_.length); position == 0) {
    publish(fresh, head, first->next.load(std::memory_order_relaxed));
  } else {
    Element* before = first;
    for (uint64_t i = 1; i < position; ++i) before = before->next.load(std::memory_order_relaxed);
    victim = before->next.load(std::memory_order_relaxed);
    publish(fresh, head, first);
    // release, plain store [unpublish]: a locked exchange would be the fence that the scheme owes us.
    before->next.store(victim->next.load(std::memory_order_relaxed), std::memory_order_release);
  }
  // A walker that stands on the victim ends there. It must not go on: what follows may be unpublished later,
  // and a scheme that validates pointers would find this one unchanged.
  victim->next.store(nullptr, std::memory_order_relaxed);  // relaxed: null publishes nothing
  victim->pipe.store(1, std::memory_order_relaxed);        // relaxed: the grace period orders it before any 2
  return victim;
}

bool Station::age(Element* e) {
  const uint32_t left = e->pipe.load(std::memory_order_relaxed);  // relaxed: this thread is the only writer
  bump(left_stage_[std::min(left, kPipeLength)]);
  const uint32_t pipe = left + 1;
  e->pipe.store(
      pipe,
      std::memory_order_relaxed);  // relaxed: ordering it against readers is the scheme's duty, under test
  if (pipe < kPipeLength) return true;
  free(e);
  return false;
}

void Station::note_post(Element* e) {
  e->posted_ns = harness::now_ns();
  bump(posted_);
  // relaxed: call() itself must order the caller's stores before its callback
  e->head_state.store(HeadState::kPosted, std::memory_order_relaxed);
}

void Station::on_callback(srcutorture_head* head) {
  auto* e = reinterpret_cast<Element*>(head);
  Station* home = e->home;
  // relaxed: doubled callbacks of one head race at worst on this word, and the exchange alone tells first
  // from second
  if (e->head_state.exchange(HeadState::kOurs, std::memory_order_relaxed) != HeadState::kPosted) {
    home->doubled_.fetch_add(
        1, std::memory_order_relaxed);  // relaxed: a counter; callbacks may run on several threads
    return;
  }
  e->delay_ns = harness::now_ns() - e->posted_ns;
  Element* seen = home->returned_.load(std::memory_order_relaxed);  // relaxed: the exchange below confirms it
  do {
    e->link = seen;
    // release [return]: pairs with the acquire in take_returned; hands the element's fields back to its
    // updater.
  } while (
      !home->returned_.compare_exchange_weak(seen, e, std::memory_order_release, std::memory_order_relaxed));
  // release [invoked]: pairs with the acquire in invoked().
  home->invoked_.fetch_add(1, std::memory_order_release);
}

Element* Station::take_returned() {
  // relaxed: an empty list is the common case, and a missed element is found next time
  if (!returned_.load(std::memory_order_relaxed)) return nullptr;
  // acquire: pairs with [return]. The exchange fences too, which is why updaters take before they unpublish,
  // never after.
  return returned_.exchange(nullptr, std::memory_order_acquire);
}

uint64_t Station::pending_bytes() const {
  const uint64_t invoked = this->invoked();
  const uint64_t posted = this->posted();
  return posted > invoked ? (posted - invoked) * sizeof(Element) : 0;
}

}  // namespace torture
