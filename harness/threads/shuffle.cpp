#include "harness/threads/shuffle.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "harness/base/errors.hpp"
#include "harness/topology/bind.hpp"

namespace harness {
namespace {

[[noreturn]] void refuse(pid_t tid, const std::vector<unsigned>& pus, const std::string& why) {
  throw Broken(fmt::format(
      "shuffle cannot move thread {} to CPUs {}: {}; run without shuffle, or dismiss threads before they end",
      tid, fmt::join(pus, ","), why));
}

void move(pid_t tid, const std::vector<unsigned>& pus) {
  if (const std::string why = confine(tid, pus); !why.empty()) refuse(tid, pus, why);
}

}  // namespace

Shuffle::Shuffle(std::vector<unsigned> pus, double interval_s, Report report)
    : pus_(std::move(pus)), interval_s_(interval_s), report_(std::move(report)) {
  if (pus_.empty()) throw UsageError("shuffle needs the CPUs it may use; none were given");
  if (!(interval_s > 0))
    throw UsageError(fmt::format("shuffle interval {} s: it must be more than 0", interval_s));
  std::sort(pus_.begin(), pus_.end());
  pus_.erase(std::unique(pus_.begin(), pus_.end()), pus_.end());
}

Shuffle::~Shuffle() {
  try {
    stop();
  } catch (...) {
    // Told by stop() to those who ask.
  }
}

std::string Shuffle::why_not() const {
  if (pus_.size() > 1) return {};
  return fmt::format("shuffle does nothing: CPU {} is the only one, and it cannot be left idle",
                     pus_.front());
}

std::vector<unsigned> Shuffle::allowed(std::optional<unsigned> seat) const {
  if (!idle_) return seat ? std::vector{*seat} : pus_;
  std::vector<unsigned> others;
  for (const unsigned pu : pus_)
    if (pu != *idle_) others.push_back(pu);
  return others;
}

void Shuffle::enroll(pid_t tid, std::optional<unsigned> seat) {
  std::lock_guard lock(mutex_);
  if (idle_) move(tid, allowed(seat));
  members_[tid] = seat;
}

void Shuffle::dismiss(pid_t tid) {
  std::lock_guard lock(mutex_);
  members_.erase(tid);
}

void Shuffle::start() {
  if (!why_not().empty()) return;
  thread_.emplace("shuffle", std::nullopt, [this] { rounds(); });
}

void Shuffle::stop() {
  pace_.stop();
  if (!thread_ || !thread_->joinable()) return;
  std::exception_ptr refusal;
  try {
    thread_->join();
  } catch (...) {
    refusal = std::current_exception();
  }
  // Also after a refused round: the threads must not stay crowded on the other CPUs.
  try {
    begin_round({});
  } catch (const Broken&) {
    if (!refusal) refusal = std::current_exception();
  }
  if (refusal) std::rethrow_exception(refusal);
}

void Shuffle::rounds() {
  for (size_t next = 0; pace_.sleep(interval_s_); next = (next + 1) % (pus_.size() + 1)) {
    const bool seated = next == pus_.size();
    const std::optional<unsigned> idle = seated ? std::nullopt : std::optional(pus_[next]);
    begin_round(idle);
    // relaxed: a statistic; this thread is its one writer.
    if (idle) firings_.store(firings_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (report_) report_(idle);
  }
}

void Shuffle::begin_round(std::optional<unsigned> idle) {
  std::lock_guard lock(mutex_);
  idle_ = idle;
  for (const auto& [tid, seat] : members_) move(tid, allowed(seat));
}

}  // namespace harness
