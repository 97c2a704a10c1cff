#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/threads/named_thread.hpp"
#include "harness/threads/pace.hpp"

namespace harness {

/// Every interval leaves one CPU idle and moves the enrolled threads to the others; after the last CPU comes
/// one round in which every thread is back in its seat.
class Shuffle {
 public:
  /// Called on the shuffle's own thread after each round is in force: the idle CPU, or nothing when the seats
  /// are restored. A throw ends the shuffle and comes out of stop().
  using Report = std::function<void(std::optional<unsigned> idle_pu)>;

  /// `pus`: every CPU the run may use, as Topology::pus() gives them. UsageError unless `interval_s` is
  /// positive and `pus` is not empty.
  Shuffle(std::vector<unsigned> pus, double interval_s, Report report = {});

  /// Like stop(), but drops what stop() would throw.
  ~Shuffle();

  /// Why this shuffle does nothing ("only CPU 0 ..."); empty when it works. start() is then a no-op.
  std::string why_not() const;

  /// A thread that shall be moved; `seat` is the CPU it returns to, nothing: anywhere in `pus`. Any time, any
  /// thread. Broken if the kernel refuses the mask of the round under way.
  void enroll(pid_t tid, std::optional<unsigned> seat);

  /// To be called before the thread ends: a thread id may be given to somebody else. Leaves its mask as it
  /// is.
  void dismiss(pid_t tid);

  /// Starts the rounds. Broken if no thread can be had. Once only.
  void start();

  /// Ends the rounds and puts every enrolled thread back in its seat. Throws Broken if a move was refused,
  /// then or earlier (the rounds end at the first refusal), and whatever `report` threw.
  void stop();

  /// No round begins while the result lives.
  std::unique_lock<std::mutex> hold() const { return std::unique_lock(mutex_); }

  /// Where a thread with this seat may run in the round under way; ask with hold().
  std::vector<unsigned> allowed(std::optional<unsigned> seat) const;

  /// Rounds in which one CPU was left idle, every move read back and found true.
  /// relaxed: a statistic with one writer.
  uint64_t firings() const { return firings_.load(std::memory_order_relaxed); }

 private:
  void rounds();
  void begin_round(std::optional<unsigned> idle);

  std::vector<unsigned> pus_;
  double interval_s_;
  Report report_;
  Pace pace_;
  mutable std::mutex
      mutex_;  ///< Guards idle_ and members_, so that a dismissed thread is not moved any more.
  std::optional<unsigned> idle_;
  std::map<pid_t, std::optional<unsigned>> members_;
  std::atomic<uint64_t> firings_{0};
  std::optional<NamedThread> thread_;
};

}  // namespace harness
