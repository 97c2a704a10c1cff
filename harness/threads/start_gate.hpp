#pragma once

#include <condition_variable>
#include <mutex>

namespace harness {

/// Holds threads back until all have come, then lets them go together. For one start; any thread may call
/// anything.
class StartGate {
 public:
  /// `expected`: how many threads will come. With 0 the gate is open.
  explicit StartGate(unsigned expected);

  /// Waits for the others. True once all have come; false if one of them failed, then nobody should go on.
  [[nodiscard]] bool arrive();

  /// For whoever cannot come: everybody leaves, now and later, with false. No effect once all have come.
  void fail();

  /// For the starter, who is not one of the expected: waits for the outcome, true if all came.
  [[nodiscard]] bool wait();

 private:
  enum class Outcome { undecided, open, failed };
  bool outcome(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable decided_;
  unsigned missing_;
  Outcome outcome_;
};

}  // namespace harness
