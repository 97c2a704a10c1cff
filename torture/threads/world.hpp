// What all threads of one torture share.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/threads/stutter.hpp"
#include "torture/ops.hpp"
#include "torture/threads/park_gate.hpp"
#include "torture/threads/phase.hpp"
#include "torture/threads/visitor.hpp"

namespace torture {

/// In a catch block for std::exception: the Broken that is being handled, or one that says what went wrong in
/// `who`.
harness::Broken why_broken(std::string_view who);

/// Made before the threads, outlives them. Only the conductor changes phase and gate.
struct World {
  const Ops& ops;
  void* domain;
  uint64_t seed;
  std::vector<Station*> stations{};
  std::vector<Visitor*> visitors{};  ///< By id.
  std::atomic<const Phase*> phase{nullptr};
  std::atomic<bool> stop{false};
  ParkGate gate{};
  ParkGate readers{};  ///< For readers alone: everybody else goes on.
  std::function<void(const harness::Broken&)> give_up{};  ///< For threads: does not return.
  harness::Stutter* stutter = nullptr;                    ///< Obeyed in phases that want it.
  std::function<std::shared_ptr<void>()> presence{};      ///< Of a torture thread, for who watches them; empty: nobody.
  /// Runs a post where it may not be filed at once, and stays there a while. Empty: there is no such place.
  std::function<void(const std::function<void()>&)> where_posts_wait{};

  /// relaxed: a thread that learns of the end a little later ends a little later.
  bool stopped() const { return stop.load(std::memory_order_relaxed); }
  bool readers_shall_park() const { return gate.closed() || readers.closed(); }
  /// acquire: pairs with the release in the conductor; Phase objects are constant, so this is for form's sake
  /// only.
  const Phase& now() const { return *phase.load(std::memory_order_acquire); }
};

/// A registered thread of the scheme under test. Made and destroyed in that thread, with all signals blocked
/// meanwhile: liburcu takes locks in both.
class Membership {
 public:
  /// `reads`: it enters sections through a Visitor, and parks with the readers too.
  explicit Membership(World& world, bool reads = false);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  void* ctx() const { return ctx_; }

  /// Sleeps outside sections, offline for schemes that know that.
  void nap(uint64_t ns);

  /// The top of every torture loop, outside sections: waits while the gate is closed, or while `idle` says
  /// that this thread has no part in the phase. Tells the scheme that the thread is quiescent, and offline
  /// while it waits.
  template <class Idle>
  void pause_point(Idle idle) {
    if (world_.ops.quiescent_state) world_.ops.quiescent_state(world_.domain, ctx_);
    if (world_.gate.closed() || (reads_ && world_.readers.closed())) [[unlikely]]
      park();
    if (world_.stutter && world_.stutter->pausing() && world_.now().stutter) [[unlikely]]
      pause();
    if (idle() && !world_.stopped()) [[unlikely]]
      sit_out(idle);
  }

 private:
  void park();
  void pause();
  void away();
  void back();
  template <class Idle>
  void sit_out(Idle idle) {
    away();
    while (idle() && !world_.stopped()) {
      if (world_.gate.closed()) {
        world_.gate.park([] {}, [] {});
      } else if (reads_ && world_.readers.closed()) {
        world_.readers.park([] {}, [] {});
      } else {
        harness::sleep_ns(1'000'000);
      }
    }
    back();
  }

  World& world_;
  const std::shared_ptr<void> presence_ = world_.presence ? world_.presence() : nullptr;
  const bool reads_;
  void* ctx_;
};

}  // namespace torture
