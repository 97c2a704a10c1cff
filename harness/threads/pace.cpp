#include "harness/threads/pace.hpp"

#include <chrono>

namespace harness {

bool Pace::sleep(double seconds) {
  // A year is for ever, and does not overflow the clock.
  const std::chrono::duration<double> time(seconds < 3e7 ? seconds : 3e7);
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(time);
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, until, [this] { return stopped_; });
}

void Pace::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace harness
