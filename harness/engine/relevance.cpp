#include "harness/engine/relevance.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace engine {
namespace {

/// Odd is what would not have been in an ordinary execution; missed is the newest value that somebody did not read; learned is what one
/// thread read of another's.
enum Rank : uint8_t { kFinding, kOdd, kMissed, kLearned, kOrders, kRest };

class Ranks {
 public:
  Ranks(const std::vector<const Event*>& events, const Outcome& outcome) : events_(events), ranks_(events.size(), kRest) {
    for (size_t i = 0; i < events.size(); ++i) rank(i);
    if (events.empty()) return;
    raise(events.size() - 1, kFinding);
    const auto before = std::find_if(events.rbegin(), events.rend(), [&](const Event* event) { return event->step.pc == outcome.before; });
    if (before != events.rend()) raise(static_cast<size_t>(events.rend() - before) - 1, kFinding);
  }

  /// Of two of a rank the later one explains more.
  std::vector<size_t> in_order() const {
    std::vector<size_t> order(events_.size());
    std::iota(order.rbegin(), order.rend(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t one, size_t other) { return ranks_[one] < ranks_[other]; });
    return order;
  }

 private:
  void raise(size_t i, Rank to) { ranks_[i] = std::min(ranks_[i], to); }

  void rank(size_t i) {
    const Event& event = *events_[i];
    switch (event.step.kind) {
      case Kind::kHandler:
      case Kind::kFork:
      case Kind::kMembarrier:
      case Kind::kFenced:
      case Kind::kWait:
      case Kind::kFree:
      case Kind::kLook:
        raise(i, kOdd);
        break;
      case Kind::kFence: return raise(i, kOrders);
      default: break;
    }
    if (event.old) raise(i, kOdd);
    if (event.step.size == 0) return;
    if (const auto written = writers_.find(event.step.address); written != writers_.end() && events_[written->second]->agent != event.agent) {
      raise(written->second, event.old ? kMissed : kLearned);
      raise(i, kLearned);
    }
    if (!event.step.writes() || !event.changed) return;
    for (uint32_t byte = 0; byte < std::min(event.step.size, 64u); ++byte) writers_[event.step.address + byte] = i;
  }

  const std::vector<const Event*>& events_;
  std::unordered_map<uintptr_t, size_t> writers_;  ///< Of each byte, the last so far.
  std::vector<Rank> ranks_;
};

}  // namespace

std::vector<bool> most_relevant(const std::vector<const Event*>& events, const Outcome& outcome, size_t most) {
  std::vector<bool> kept(events.size(), events.size() <= most);
  if (events.size() <= most) return kept;
  const auto told = [&](size_t i) { return i >= events.size() || kept[i]; };  // beyond an end there is no gap
  size_t lines = 1;                                                           // all of it one gap
  for (const size_t i : Ranks(events, outcome).in_order()) {
    const size_t gaps = told(i - 1) + told(i + 1);  // i - 1 of the first is beyond, too
    const size_t more = 2 - gaps;
    if (lines + more > most) continue;
    lines += more;
    kept[i] = true;
  }
  return kept;
}

}  // namespace engine
