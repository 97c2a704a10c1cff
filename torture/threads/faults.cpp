#include "torture/threads/faults.hpp"

#include "harness/base/clock.hpp"

namespace torture {

const char* check_name(Check check) {
  static constexpr const char* names[kChecks] = {
      "too_short_gp",  "memory_order",     "early_cookie",  "early_barrier", "double_callback",
      "lost_callback", "counter_mismatch", "garbage_bound", "lock_cycle",    "wait_context",
      "self_deadlock", "stalled_gp",       "no_forward_progress",
  };
  return names[static_cast<size_t>(check)];
}

void Faults::note(Check check, const char* what, uint64_t a, uint64_t b) {
  const auto i = static_cast<size_t>(check);
  const uint64_t before = counts_[i].load(std::memory_order_relaxed);  // relaxed: single writer
  if (before == 0) first_[i] = {what, a, b, harness::now_ns()};
  // release: pairs with the acquire in count(); publishes first_ with the first count.
  counts_[i].store(before + 1, std::memory_order_release);
}

uint64_t Faults::count(Check check) const {
  return counts_[static_cast<size_t>(check)].load(std::memory_order_acquire);  // acquire: pairs with note()
}

}  // namespace torture
