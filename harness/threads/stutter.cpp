#include "harness/threads/stutter.hpp"

#include <fmt/format.h>

#include <utility>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"

namespace harness {

Stutter::Stutter(double run_s, double pause_s, Report report)
    : run_s_(run_s), pause_s_(pause_s), report_(std::move(report)) {
  if (!(run_s > 0) || !(pause_s > 0))
    throw UsageError(fmt::format("stutter {} s on, {} s off: both must be more than 0", run_s, pause_s));
}

Stutter::~Stutter() {
  try {
    stop();
  } catch (...) {
    // Told by stop() to those who ask.
  }
}

void Stutter::start() {
  thread_.emplace("stutter", std::nullopt, [this] { alternate(); });
}

void Stutter::stop() {
  pace_.stop();
  if (thread_) thread_->join();
}

void Stutter::alternate() {
  // However this ends, nobody stays behind in a pause.
  struct Release {
    Stutter& stutter;
    ~Release() { stutter.set_pausing(false); }
  } release{*this};
  while (pace_.sleep(run_s_)) {
    set_pausing(true);
    // relaxed: a statistic; this thread is its one writer.
    firings_.store(firings_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (report_) report_(true, now_ns());
    pace_.sleep(pause_s_);
    set_pausing(false);
    if (report_) report_(false, now_ns());
  }
}

void Stutter::set_pausing(bool on) {
  std::lock_guard lock(mutex_);
  // relaxed: changed under the mutex, under which wait() decides; pausing() is only a hint.
  pausing_.store(on, std::memory_order_relaxed);
  if (!on) resumed_.notify_all();
}

bool Stutter::wait() {
  std::unique_lock lock(mutex_);
  if (!pausing()) return false;
  resumed_.wait(lock, [this] { return !pausing(); });
  return true;
}

}  // namespace harness
