#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "harness/threads/named_thread.hpp"
#include "harness/threads/pace.hpp"

namespace harness {

/// Lets threads run for a while, pauses them for a while, and so on, so that what they torture goes idle and
/// starts up again under full load. A pause resets stall clocks: do without it where liveness is judged.
class Stutter {
 public:
  /// Called on the stutter's own thread: true when a pause begins, false when it ends; CLOCK_MONOTONIC
  /// nanoseconds. Every begin is followed by an end. A throw ends the stutter and comes out of stop().
  using Report = std::function<void(bool paused, uint64_t at_ns)>;

  /// Both in seconds. UsageError unless both are positive. Nothing happens before start().
  Stutter(double run_s, double pause_s, Report report = {});

  /// Like stop(), but drops what stop() would throw.
  ~Stutter();

  /// Starts with a run. Broken if no thread can be had. Once only.
  void start();

  /// Releases everybody, now and for good; returns when the stutter's thread has ended. Rethrows what
  /// `report` threw.
  void stop();

  /// For hot loops: one relaxed load.
  /// relaxed: whoever sees it late pauses late; wait() decides under the mutex.
  bool pausing() const { return pausing_.load(std::memory_order_relaxed); }

  /// Blocks, without polling, while there is a pause; returns at once otherwise. True if it had to wait.
  /// Call it outside read sections, after `pausing()`.
  bool wait();

  /// Pauses begun so far.
  /// relaxed: a statistic with one writer.
  uint64_t firings() const { return firings_.load(std::memory_order_relaxed); }

 private:
  void alternate();
  void set_pausing(bool on);

  double run_s_, pause_s_;
  Report report_;
  Pace pace_;
  std::mutex mutex_;
  std::condition_variable resumed_;
  std::atomic<bool> pausing_{false};
  std::atomic<uint64_t> firings_{0};
  std::optional<NamedThread> thread_;
};

}  // namespace harness
