// Posts from signal handlers, whatever they interrupt.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "torture/threads/world.hpp"

namespace torture {

/// One thread's handler posts; callbacks run anywhere. Memory is there beforehand: a handler must not allocate.
class SignalPoster {
 public:
  explicit SignalPoster(World& world);

  /// In the handler: posts a head that is not with the scheme, if there is one. `ctx`: the thread's.
  void post(void* ctx);

  uint64_t posted() const { return peek(posted_); }
  /// acquire: pairs with the release in on_callback.
  uint64_t invoked() const { return invoked_.load(std::memory_order_acquire); }
  /// Callbacks for heads that were not posted.
  uint64_t doubled() const { return peek(doubled_); }

 private:
  struct Head {
    srcutorture_head head;  // first: the callback casts
    SignalPoster* poster;
    std::atomic<HeadState> state{HeadState::kOurs};
  };
  static void on_callback(srcutorture_head* head);

  World& world_;
  size_t next_ = 0;
  std::array<Head, 256> heads_;
  alignas(64) std::atomic<uint64_t> posted_{0};
  alignas(64) std::atomic<uint64_t> invoked_{0};
  std::atomic<uint64_t> doubled_{0};
};

}  // namespace torture
