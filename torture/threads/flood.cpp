#include "torture/threads/flood.hpp"

#include "harness/base/clock.hpp"

namespace torture {

Flood::Flood(World& world, const Options& options) : world_(world), options_(options) {}

void Flood::on_callback(srcutorture_head* head) {
  auto* drop = reinterpret_cast<Drop*>(head);
  Flood* flood = drop->flood;
  delete drop;
  // release: pairs with the acquire in invoked(). Callbacks may run on several threads.
  flood->invoked_.fetch_add(1, std::memory_order_release);
}

bool Flood::pour(Membership& member) {
  for (uint64_t i = 0; i < options_.callbacks && !world_.stopped(); ++i) {
    auto* drop = new Drop{};
    drop->flood = this;
    bump(posted_);
    world_.ops.call(world_.domain, member.ctx(), &drop->head, on_callback);
    if (i % 64 == 0) member.pause_point([] { return false; });
  }
  return !world_.stopped();
}

void Flood::drain(Membership& member) {
  uint64_t since = harness::now_ns();
  for (uint64_t missing; (missing = peek(posted_) - invoked()) != 0 && !world_.stopped();) {
    waiting_for_.store(missing, std::memory_order_relaxed);  // relaxed: a hint for the stall watch
    member.pause_point([] { return false; });
    if (world_.ops.advance) world_.ops.advance(world_.domain, member.ctx());
    member.nap(1'000'000);
    if (options_.press && harness::now_ns() - since > 500'000'000) {
      pour(member);
      since = harness::now_ns();
    }
  }
  waiting_for_.store(0, std::memory_order_relaxed);
}

void Flood::rest(Membership& member) {
  const uint64_t end = harness::now_ns() + options_.holdoff_ns;
  while (harness::now_ns() < end && !world_.stopped()) {
    member.pause_point([] { return false; });
    member.nap(5'000'000);
  }
}

void Flood::run() {
  Membership member(world_);
  while (!world_.stopped()) {
    rest(member);
    if (world_.now().updaters == 1)
      continue;  // ordering phases want the cores for one reader and one updater
    flooding_.store(true, std::memory_order_relaxed);  // relaxed: see flooding()
    if (!pour(member)) return;
    drain(member);
    flooding_.store(false, std::memory_order_relaxed);
    bump(floods_);
  }
}

uint64_t Flood::pending_bytes() const {
  const uint64_t done = invoked();
  const uint64_t posted = this->posted();
  return posted > done ? (posted - done) * sizeof(Drop) : 0;
}

}  // namespace torture
