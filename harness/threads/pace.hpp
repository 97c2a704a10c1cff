#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace harness {

/// A sleep that another thread can end for good: what the injectors' own threads wait on.
class Pace {
 public:
  /// Sleeps `seconds` of CLOCK_MONOTONIC. True if the whole time passed, false once stop() was called.
  bool sleep(double seconds);

  /// The same up to an instant of now_ns().
  bool sleep_until(uint64_t at_ns);

  /// Ends the sleep under way and every later one. Any thread, any number of times.
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
};

}  // namespace harness
