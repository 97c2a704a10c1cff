#include "harness/supervise/watch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/proc.hpp"

namespace harness {
namespace {

/// A longer time between two looks means that the watcher itself did not run.
constexpr double kLongestStep = 5;

}  // namespace

std::string Stall::words() const {
  return fmt::format("{} made no step in {:.1f} s of CPU time, {:.1f} s of wall time{}",
                     fmt::join(threads, ", "), cpu_s, wall_s, all ? "; nothing else moves" : "");
}

Watch::Watch(const ProgressBoard& board, pid_t child, WatchLimits limits)
    : board_(board), child_(child), limits_(limits), looked_ns_(now_ns()) {
  if (!(limits.cpu_s > 0) || !(limits.wall_s > 0))
    throw UsageError(fmt::format("stall limits {} s of CPU time, {} s: both must be more than 0",
                                 limits.cpu_s, limits.wall_s));
}

std::optional<Stall> Watch::look() {
  if (!advance_clocks()) return {};
  const auto now = board_.read();
  note(now);
  return judge(now);
}

/// False if the child is gone.
bool Watch::advance_clocks() {
  const uint64_t now = now_ns();
  const double step = static_cast<double>(now - looked_ns_) / 1e9;
  looked_ns_ = now;
  const auto stat = proc_stat(child_);
  if (!stat || stat->state == 'Z' || stat->state == 'X') return false;
  cpu_s_ = stat->cpu_s;
  const bool stopped = stat->state == 'T' || stat->state == 't';
  if (!stopped) wall_s_ += std::min(step, kLongestStep);
  return true;
}

/// Starts the clock anew of every thread that moved; one that is expected again has beaten.
void Watch::note(const std::vector<ProgressBoard::Reading>& now) {
  const size_t known = marks_.size();
  marks_.resize(now.size());
  for (size_t i = 0; i < now.size(); ++i) {
    Mark& mark = marks_[i];
    const bool stands = i < known && mark.beats == now[i].beats;
    if (!stands) mark = {now[i].beats, cpu_s_, wall_s_};
  }
}

std::optional<Stall> Watch::judge(const std::vector<ProgressBoard::Reading>& now) const {
  Stall stall{{}, true, 0, 0};
  for (size_t i = 0; i < now.size(); ++i) {
    if (!now[i].expected) continue;
    const double cpu = cpu_s_ - marks_[i].cpu_s, wall = wall_s_ - marks_[i].wall_s;
    // "Nothing else moves" asks for half the limit: the threads rarely stop in the same instant.
    if (cpu < limits_.cpu_s / 2 && wall < limits_.wall_s / 2) stall.all = false;
    if (cpu < limits_.cpu_s && wall < limits_.wall_s) continue;
    stall.threads.push_back(now[i].name);
    stall.cpu_s = std::max(stall.cpu_s, cpu);
    stall.wall_s = std::max(stall.wall_s, wall);
  }
  if (stall.threads.empty()) return {};
  return stall;
}

}  // namespace harness
