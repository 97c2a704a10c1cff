// Forward progress: floods the scheme with callbacks and asks whether they ever drain.
#pragma once

#include <atomic>
#include <cstdint>

#include "torture/threads/world.hpp"

namespace torture {

/// One thread. A flood is `callbacks` posts in a row, then a wait until all of them ran; the conductor's
/// stall watch decides whether the wait is too long. When a scheme that reports its pending bytes has a bound
/// to keep, the flood is pressed on while it does not drain, so that the bound is really put to the test.
class Flood {
 public:
  struct Options {
    uint64_t callbacks;   ///< cbflood_max
    uint64_t holdoff_ns;  ///< fwd_progress_holdoff: between floods
    bool press;           ///< a bound is to be tested
  };
  Flood(World& world, const Options& options);

  void run();

  uint64_t floods() const { return peek(floods_); }
  uint64_t posted() const { return peek(posted_); }
  /// acquire: pairs with the release in on_callback.
  uint64_t invoked() const { return invoked_.load(std::memory_order_acquire); }
  /// Callbacks of this flood still missing while the thread waits for them; 0 otherwise.
  uint64_t waiting_for() const { return peek(waiting_for_); }
  uint64_t pending_bytes() const;
  /// From the first post to the last callback. relaxed: for the record only.
  bool flooding() const { return flooding_.load(std::memory_order_relaxed); }

 private:
  struct Drop {
    srcutorture_head head;  // first: the callback casts
    Flood* flood;
    uint64_t ballast[24];  // about the size of an element, so that bytes add up
  };
  static void on_callback(srcutorture_head* head);
  bool pour(Membership& member);
  void drain(Membership& member);
  void rest(Membership& member);

  World& world_;
  Options options_;
  std::atomic<uint64_t> floods_{0}, posted_{0}, waiting_for_{0};
  std::atomic<bool> flooding_{false};
  alignas(64) std::atomic<uint64_t> invoked_{0};
};

}  // namespace torture
