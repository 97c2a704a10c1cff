// Stops the torture threads outside every section, for sums, stutter and changes of phase.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace torture {

/// Torture threads pass it at the top of their loops; the conductor, alone, closes and opens it.
class ParkGate {
 public:
  /// One relaxed load while the gate is open. Call it outside sections only.
  /// relaxed: a thread that sees the closing late parks late; the mutex orders everything that follows.
  bool closed() const { return closed_.load(std::memory_order_relaxed); }

  /// Blocks until the gate opens. `away` and `back` run around the wait, so that a scheme that waits for
  /// every registered thread (qsbr) does not wait for a parked one.
  template <class Away, class Back>
  void park(Away away, Back back) {
    away();
    {
      std::unique_lock lock(mutex_);
      ++parked_;
      arrived_.notify_all();
      opened_.wait(lock, [this] { return !closed(); });
      --parked_;
    }
    back();
  }

  /// A thread that passes the gate joins before its first pass and leaves after its last.
  void join();
  void leave();

  /// Closes the gate and waits until every joined thread is parked; false if that took longer than
  /// `limit_ns`.
  bool close(uint64_t limit_ns);
  void open();

 private:
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::condition_variable arrived_, opened_;
  unsigned joined_ = 0, parked_ = 0;
};

}  // namespace torture
