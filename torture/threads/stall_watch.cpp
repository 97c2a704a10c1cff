#include "torture/threads/stall_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torture {
namespace {

constexpr uint64_t kTurns = 1000;

uint64_t grace_periods(const std::vector<Waiter>& waiters) {
  uint64_t sum = 0;
  for (const Waiter& waiter : waiters) sum += waiter.grace->ended();
  return sum;
}

}  // namespace

StallWatch::StallWatch(const World& world, const Cast& cast, uint64_t limit_ns)
    : world_(world), cast_(cast), limit_ns_(limit_ns) {
  watch_updates(cast);
  watch_readers(world, cast);
}

void StallWatch::watch_updates(const Cast& cast) {
  const auto turns = [waiters = cast.waiters()] { return grace_periods(waiters); };
  for (const Waiter& waiter : cast.waiters()) {
    const Grace& grace = *waiter.grace;
    watched_.push_back({Check::kStalledGp,
                        fmt::format("{} waits for a grace period that does not end", waiter.name),
                        [&grace] { return grace.ended(); }, [&grace] { return grace.since_ns() != 0; }, turns});
  }
  for (size_t i = 0; i < cast.updaters().size(); ++i) {
    const Updater& updater = *cast.updaters()[i];
    watched_.push_back({Check::kNoForwardProgress, fmt::format("updater {} gets no element back", i),
                        [&updater] { return updater.versions(); },
                        [&updater] { return updater.starving(); }, turns});
  }
  if (const BarrierTorture* barrier = cast.barrier()) {
    watched_.push_back({Check::kNoForwardProgress, "a barrier does not return",
                        [barrier] { return barrier->barriers(); }, [barrier] { return barrier->waiting(); }, turns});
  }
  if (const Domains* domains = cast.domains()) {
    watched_.push_back({Check::kStalledGp, "a grace period of one domain waits for a section of another",
                        [domains] { return domains->steps(); }, [domains] { return domains->busy(); }});
  }
  const Company* company = cast.company();
  for (unsigned i = 0; company && i < company->threads(); ++i) {
    watched_.push_back({Check::kNoForwardProgress, fmt::format("locked caller {} waits for what does not come", i),
                        [company, i] { return company->steps(i); }, [] { return true; }});
  }
  if (const Flood* flood = cast.flood()) {
    watched_.push_back({Check::kNoForwardProgress, "a flood of callbacks does not drain",
                        [flood] { return flood->invoked(); }, [flood] { return flood->waiting_for() != 0; }, turns});
  }
}

void StallWatch::watch_readers(const World& world, const Cast& cast) {
  for (unsigned i = 0; i < cast.readers().size(); ++i) {
    const Visitor& visitor = cast.readers()[i]->visitor();
    watched_.push_back(
        {Check::kNoForwardProgress, fmt::format("reader {} stands still in the scheme's code", i),
         [&visitor] { return visitor.sections(); }, [&world, i] { return i < world.now().readers; }});
  }
}

uint64_t StallWatch::limit_ns() const { return world_.now().relay ? limit_ns_ / 2 : limit_ns_; }

Standstill StallWatch::standstill(const Watched& w, bool over) const {
  return {w.check, fmt::format("{} (limit {:.1f} s)", w.words, static_cast<double>(limit_ns()) / 1e9), over,
          [&w, seen = w.seen] { return w.progress() != seen; }};
}

bool StallWatch::may_wait_its_turn(Watched& w) {
  if (!w.turns) return false;
  const uint64_t turn = w.turns();
  const bool another = turn != w.last_turn;
  w.last_turn = turn;
  return another && turn - w.first_turn < kTurns;
}

// What stops together exceeds the limit within a few ticks; what stands first in the list explains the rest.
// So the first to exceed it waits for the others a little, and then the first in the list is named.
std::optional<Standstill> StallWatch::tick(uint64_t granted_ns) {
  const auto delays = [](const auto& visitor) { return visitor->delaying(); };
  if (std::ranges::any_of(cast_.visitors(), delays)) return std::nullopt;
  const uint64_t limit = limit_ns();
  bool over = false;
  for (Watched& w : watched_) {
    const uint64_t progress = w.progress();
    if (progress != w.seen || !w.expected()) {
      w.seen = progress;
      w.still_ns = 0;
      w.suspected = false;
      if (w.turns) w.first_turn = w.last_turn = w.turns();
    } else if (may_wait_its_turn(w)) {
      w.still_ns = 0;
    } else {
      w.still_ns += granted_ns;
      over = over || w.still_ns > limit + limit / 16;
    }
  }
  for (Watched& w : watched_) {
    if (over && w.still_ns > limit) return standstill(w, true);
    if (over || w.suspected || w.still_ns <= limit / 2) continue;
    w.suspected = true;
    return standstill(w, false);
  }
  return std::nullopt;
}

}  // namespace torture
