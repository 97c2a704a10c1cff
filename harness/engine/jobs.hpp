// Work in child processes that report by a pipe, and are watched: one that blocks would keep everybody waiting for ever.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "harness/engine/campaign.hpp"
#include "harness/supervise/proc.hpp"

namespace engine {

/// A job's to the one who waits for it.
class Line {
 public:
  static constexpr uint64_t kNone = UINT64_MAX;

  Line(int pipe, std::atomic<uint64_t>& execution) : pipe_(pipe), execution_(execution) {}

  void say(const Report&);  ///< What is said last counts.
  /// \name Which execution is on, counted from 0. A hint for who watches: relaxed
  /// @{
  void begins(uint64_t execution) { execution_.store(execution, std::memory_order_relaxed); }
  void ends() { begins(kNone); }  ///< What comes now may wait for others, to find names and lines.
  /// @}

 private:
  int pipe_;
  std::atomic<uint64_t>& execution_;
};

using Work = std::function<Report(Line&)>;

/// Tells a process that blocks from one that is slow, starved or stopped, by looking at it now and then.
class Stillness {
 public:
  static constexpr unsigned kLooks = 60;

  /// True if at so many looks in a row it slept, and neither ran nor came to another execution in between.
  bool look(uint64_t execution, const harness::ProcStat&);

 private:
  uint64_t execution_ = Line::kNone;
  double cpu_s_ = -1;
  unsigned still_ = 0;
};

/// All at the same time, a process each. `ended` is told of each report as it comes. Whoever blocks for `patience_s` is killed.
std::vector<Report> run_jobs(const std::vector<Work>&, double patience_s, const std::function<void(const Report&)>& ended);

}  // namespace engine
