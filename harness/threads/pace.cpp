#include "harness/threads/pace.hpp"

#include <chrono>

#include "harness/base/clock.hpp"

namespace harness {

bool Pace::sleep(double seconds) {
  // A year is for ever, and does not overflow the clock.
  return sleep_until(now_ns() + static_cast<uint64_t>((seconds < 3e7 ? seconds : 3e7) * 1e9));
}

bool Pace::sleep_until(uint64_t at_ns) {
  const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(at_ns)};
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, until, [this] { return stopped_; });
}

void Pace::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace harness
