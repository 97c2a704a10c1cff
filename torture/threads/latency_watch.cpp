#include "torture/threads/latency_watch.hpp"

#include <algorithm>
#include <utility>

namespace torture {
namespace {

constexpr uint64_t kLongestTick = 10'000'000;

}  // namespace

LatencyWatch::LatencyWatch(std::vector<Waiter> waiters, uint64_t limit_ns)
    : waiters_(std::move(waiters)),
      limit_ns_(limit_ns),
      tick_ns_(std::min(limit_ns / 4, kLongestTick)),
      patience_(tick_ns_),
      seen_(waiters_.size()) {}

// What the machine withholds between two ticks is taken from every grace period that was running at any time
// between them: too much perhaps from one that began in the middle, never too little.
std::optional<LatencyWatch::Slow> LatencyWatch::tick(uint64_t now_ns) {
  const uint64_t withheld_before = patience_.withheld_ns();
  patience_.tick(now_ns);
  for (size_t i = 0; i < waiters_.size(); ++i) {
    const uint64_t since = waiters_[i].grace->since_ns();
    if (since != seen_[i].since_ns) seen_[i] = {since, withheld_before};
    if (since == 0 || since >= now_ns) continue;
    const uint64_t waited = now_ns - since;
    const uint64_t withheld = patience_.withheld_ns() - seen_[i].withheld_ns;
    if (waited > limit_ns_ + withheld) return Slow{waiters_[i], since, waited - withheld};
  }
  return std::nullopt;
}

}  // namespace torture
