// One grace period, waited for in any of the ways a scheme offers.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/clock.hpp"
#include "harness/record/histogram.hpp"
#include "torture/ops.hpp"
#include "torture/threads/element.hpp"

namespace torture {

/// rcutorture's synctypes, for which its parameters are named.
enum class GraceKind { kCall, kSync, kExpedited, kPoll, kConditional };

/// The kinds that the scenario asks for (gp_sync, gp_exp, gp_poll, gp_cond, gp_normal = call; none set: all)
/// and the scheme offers. Empty when they have none in common.
using GraceKinds = std::vector<GraceKind>;

/// Waits for grace periods and times them. One thread's own.
class Grace {
 public:
  Grace(const Ops& ops, void* domain) : ops_(ops), domain_(domain) {}

  /// On the thread that will wait, before it does.
  void attach() { tid_.store(gettid(), std::memory_order_relaxed); }  // relaxed: a number for /proc
  /// That thread; 0 before attach().
  pid_t tid() const { return tid_.load(std::memory_order_relaxed); }  // relaxed: as in attach()

  /// Starts the clock. Call it before the unpublication: between that and wait() nothing may give the store
  /// buffer time to drain, or a missing fence of the scheme stays hidden.
  void arm() {
    since_ns_.store(harness::now_ns(), std::memory_order_relaxed);  // relaxed: see since_ns()
  }

  /// Returns after a whole grace period of this kind (not kCall) that began after the call.
  /// `give_up` is asked while polling; false is returned if it gave up.
  template <class GiveUp>
  bool wait(GraceKind kind, void* ctx, GiveUp give_up);

  uint64_t ended() const { return peek(ended_); }
  /// CLOCK_MONOTONIC since when the thread waits for a grace period, 0 while it does not.
  uint64_t since_ns() const {
    return since_ns_.load(std::memory_order_relaxed);
  }  // relaxed: a hint for those who watch
  const harness::Histogram& normal() const { return normal_; }
  const harness::Histogram& expedited() const { return expedited_; }

 private:
  template <class GiveUp>
  bool poll(uint64_t cookie, void* ctx, GiveUp give_up);

  const Ops& ops_;
  void* domain_;
  std::atomic<uint64_t> ended_{0};
  std::atomic<uint64_t> since_ns_{0};
  std::atomic<pid_t> tid_{0};
  harness::Histogram normal_{2}, expedited_{2};
};

/// A thread that waits for grace periods, by name: "updater 0".
struct Waiter {
  std::string name;
  const Grace* grace;
};

template <class GiveUp>
bool Grace::wait(GraceKind kind, void* ctx, GiveUp give_up) {
  bool whole = true;
  switch (kind) {
    case GraceKind::kExpedited:
      ops_.expedited(domain_, ctx);
      break;
    case GraceKind::kPoll:
      whole = poll(ops_.start_poll(domain_, ctx), ctx, give_up);
      break;
    case GraceKind::kConditional: {
      const uint64_t cookie = ops_.get_state(domain_);
      if (!ops_.poll_state(domain_, cookie)) ops_.synchronize(domain_, ctx);
      break;
    }
    case GraceKind::kSync:
    case GraceKind::kCall:
      ops_.synchronize(domain_, ctx);
      break;
  }
  if (whole) {
    (kind == GraceKind::kExpedited ? expedited_ : normal_).record(harness::now_ns() - since_ns());
    bump(ended_);
  }
  since_ns_.store(0, std::memory_order_relaxed);  // relaxed: see since_ns()
  return whole;
}

// Backs off exponentially: an updater that polls without pause takes the core that the readers need.
template <class GiveUp>
bool Grace::poll(uint64_t cookie, void* ctx, GiveUp give_up) {
  for (uint64_t pause = 1000; !ops_.poll_state(domain_, cookie);
       pause = pause < 1'000'000 ? pause * 2 : pause) {
    if (give_up()) return false;
    if (ops_.advance) ops_.advance(domain_, ctx);
    if (ops_.offline) ops_.offline(domain_, ctx);
    harness::sleep_ns(pause);
    if (ops_.online) ops_.online(domain_, ctx);
  }
  return true;
}

}  // namespace torture
