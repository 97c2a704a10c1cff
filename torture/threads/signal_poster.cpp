#include "torture/threads/signal_poster.hpp"

namespace torture {

SignalPoster::SignalPoster(World& world) : world_(world) {
  for (Head& head : heads_) head.poster = this;
}

void SignalPoster::post(void* ctx) {
  Head& mine = heads_[next_];
  // acquire: pairs with the exchange in on_callback: the scheme has done with the head.
  if (mine.state.load(std::memory_order_acquire) != HeadState::kOurs) return;
  next_ = (next_ + 1) % heads_.size();
  mine.state.store(HeadState::kPosted, std::memory_order_relaxed);  // relaxed: call() must order it before the callback
  bump(posted_);
  world_.ops.call(world_.domain, ctx, &mine.head, on_callback);
}

void SignalPoster::on_callback(srcutorture_head* head) {
  auto* mine = reinterpret_cast<Head*>(head);
  SignalPoster* const poster = mine->poster;
  // release: pairs with the acquire in post().
  if (mine->state.exchange(HeadState::kOurs, std::memory_order_release) == HeadState::kPosted) {
    poster->invoked_.fetch_add(1, std::memory_order_release);  // release: pairs with the acquire in invoked()
  } else {
    poster->doubled_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
  }
}

}  // namespace torture
