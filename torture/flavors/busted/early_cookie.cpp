// A cookie that is taken while a grace period runs stands for that one, which began before.
#include <atomic>
#include <mutex>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

std::mutex one_at_a_time;
std::atomic<uint64_t> ticks{0};  // one at each beginning and one at each end: odd while a grace period runs

// Ticks around the real thing. acq_rel and acquire throughout: order is not what is wrong here.
void synchronize(void* dom, void* ctx) {
  const std::lock_guard lock(one_at_a_time);
  ticks.fetch_add(1, std::memory_order_acq_rel);
  urcu_mb.synchronize(dom, ctx);
  ticks.fetch_add(1, std::memory_order_acq_rel);
}

// Right would be + 3: past the grace period that runs, to the end of the next.
uint64_t get_state(void*) { return (ticks.fetch_add(0, std::memory_order_acq_rel) + 2) & ~uint64_t{1}; }

bool poll_state(void*, uint64_t cookie) { return ticks.load(std::memory_order_acquire) >= cookie; }

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_early_cookie";
  ops.synchronize =
      nullptr;  // or updaters would rely on cookies, and too_short_gp would be the first to see it
  ops.expedited = synchronize;
  ops.get_state = get_state;
  ops.poll_state = poll_state;
  return ops;
}

}  // namespace

const Ops busted_early_cookie = broken();

}  // namespace torture
