#include "torture/threads/updown.hpp"

namespace torture {

UpDown::UpDown(World& world, Visitor& down, Visitor& up, unsigned most)
    : world_(world), down_(down), up_(up), most_(most) {}

// False while as many are open as may be.
bool UpDown::give(Visitor::Stay stay) {
  const uint64_t opened = peek(opened_);
  open_[opened % most_] = stay;
  // release [open]: pairs with the acquire in close_next(): the token, and all that was done inside.
  opened_.store(opened + 1, std::memory_order_release);
  // acquire: pairs with [closed]: its place in the ring is free.
  return opened + 1 - closed_.load(std::memory_order_acquire) < most_;
}

bool UpDown::close_next() {
  const uint64_t closed = peek(closed_);
  if (opened_.load(std::memory_order_acquire) == closed) return false;  // acquire: pairs with [open]
  up_.leave(open_[closed % most_]);
  closed_.store(closed + 1, std::memory_order_release);  // release [closed]: pairs with the acquire in give()
  return true;
}

void UpDown::run_down() {
  Membership member(world_, true);
  down_.attach(member.ctx());
  const auto full = [this] { return peek(opened_) - closed_.load(std::memory_order_acquire) >= most_; };  // acquire: [closed]
  while (!world_.stopped()) {
    resting_.store(true, std::memory_order_release);  // release [resting]: pairs with the acquire in run_up()
    member.pause_point([this] { return world_.now().updaters == 1; });
    resting_.store(false, std::memory_order_relaxed);  // relaxed: ordered by the fence
    // seq_cst fence [rest]: no longer resting, and only then the look at the gate. Pairs with the one in run_up(), which
    // has the gate closed first: either we see it closed, or the other thread sees us at work.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    Phase phase = world_.now();
    phase.private_flags = false;  // the flag would be the opener's
    while (!world_.stopped() && !world_.readers_shall_park() && !full() && give(down_.enter(phase))) {
    }
    member.nap(20'000);
  }
  down_.detach();
  over_.store(true, std::memory_order_release);  // release [over]: pairs with the acquire in run_up()
}

void UpDown::run_up() {
  Membership member(world_, true);
  up_.attach(member.ctx());
  const auto all_closed = [this] { return opened_.load(std::memory_order_acquire) == peek(closed_); };  // acquire: [open]
  // It parks, and ends, after the opener, with all closed: an opener that merely rests may be about to open more.
  while (!over_.load(std::memory_order_acquire) || !all_closed()) {  // acquire: pairs with [over]
    if (world_.readers_shall_park()) {
      std::atomic_thread_fence(std::memory_order_seq_cst);  // seq_cst fence: pairs with [rest]
      if (resting_.load(std::memory_order_acquire) && all_closed())  // acquire: pairs with [resting]
        member.pause_point([] { return false; });
    }
    while (close_next()) {
    }
    member.nap(10'000);
  }
  up_.detach();
}

}  // namespace torture
