#include "torture/threads/barrier_torture.hpp"

#include "harness/base/clock.hpp"

namespace torture {

BarrierTorture::BarrierTorture(World& world, unsigned posters) : world_(world) {
  for (unsigned i = 0; i < posters; ++i) posters_.push_back(std::make_unique<Poster>());
}

void BarrierTorture::on_callback(srcutorture_head* head) {
  auto* poster = reinterpret_cast<Poster*>(head);
  // relaxed: asked stands still while a callback is out.
  // release [back]: pairs with the acquires in wait_for and invoked(); the head is ours again. Callback ->
  // barrier's return, the order under test, is looked at with a relaxed load, which this helps nothing.
  poster->invoked.store(poster->asked.load(std::memory_order_relaxed), std::memory_order_release);
}

void BarrierTorture::run_poster(unsigned index) {
  Membership member(world_);
  Poster& poster = *posters_[index];
  uint64_t round = 0;
  while (!world_.stopped()) {
    member.pause_point([] { return false; });
    // acquire [round]: pairs with the release in run_barrier.
    const uint64_t asked = poster.asked.load(std::memory_order_acquire);
    if (asked == round) {
      member.nap(100'000);
      continue;
    }
    round = asked;
    const auto post = [&] {
      world_.ops.call(world_.domain, member.ctx(), &poster.head, on_callback);
      // release [mailbox]: pairs with the acquire in wait_for; makes "call() returned" happen before barrier().
      poster.posted.store(round, std::memory_order_release);
    };
    if (world_.where_posts_wait && round % 2 == 0)
      world_.where_posts_wait(post);  // and the barrier comes before the post is filed
    else
      post();
  }
}

bool BarrierTorture::wait_for(const std::atomic<uint64_t>& round, uint64_t value, Membership& member) const {
  while (round.load(std::memory_order_acquire) != value) {  // acquire: pairs with [mailbox], [back]
    if (world_.stopped()) return false;
    member.pause_point([] { return false; });
    if (world_.ops.advance) world_.ops.advance(world_.domain, member.ctx());
    member.nap(50'000);
  }
  return true;
}

void BarrierTorture::run_barrier() {
  Membership member(world_);
  for (uint64_t round = 1; !world_.stopped(); ++round) {
    member.pause_point([] { return false; });
    for (auto& poster : posters_) poster->asked.store(round, std::memory_order_release);  // release: [round]
    for (auto& poster : posters_) {
      if (!wait_for(poster->posted, round, member)) return;
    }
    const uint64_t begin = harness::now_ns();
    waiting_.store(true, std::memory_order_relaxed);
    world_.ops.barrier(world_.domain, member.ctx());
    waiting_.store(false, std::memory_order_relaxed);
    latency_.record(harness::now_ns() - begin);
    for (auto& poster : posters_) {
      // relaxed: the barrier's return must have ordered it
      const uint64_t invoked = poster->invoked.load(std::memory_order_relaxed);
      if (invoked != round) {
        faults_.note(
            Check::kEarlyBarrier,
            "barrier {} returned before a callback posted earlier; the last that ran was for barrier {}",
            round, invoked);
      }
      if (!wait_for(poster->invoked, round, member))
        return;  // the head must be ours again before the next round
    }
    bump(barriers_);
  }
}

uint64_t BarrierTorture::posted() const {
  uint64_t sum = 0;
  for (auto& poster : posters_) sum += peek(poster->posted);
  return sum;
}

uint64_t BarrierTorture::invoked() const {
  uint64_t sum = 0;
  // acquire: pairs with [back]; whoever finds all invoked may end the posters
  for (auto& poster : posters_) sum += poster->invoked.load(std::memory_order_acquire);
  return sum;
}

}  // namespace torture
