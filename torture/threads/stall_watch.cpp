#include "torture/threads/stall_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torture {

uint64_t Patience::tick(uint64_t now_ns) {
  const uint64_t passed = last_ns_ == 0 ? 0 : now_ns - last_ns_;
  last_ns_ = now_ns;
  return std::min(passed, 2 * tick_ns_);
}

StallWatch::StallWatch(const World& world, const Cast& cast, uint64_t limit_ns)
    : cast_(cast), limit_ns_(limit_ns) {
  watch_updates(cast);
  watch_readers(world, cast);
}

void StallWatch::watch_updates(const Cast& cast) {
  const auto add_grace = [this](const char* role, size_t index, const Grace& grace) {
    watched_.push_back({Check::kStalledGp,
                        fmt::format("{} {} waits for a grace period that does not end", role, index),
                        [&grace] { return grace.ended(); }, [&grace] { return grace.waiting(); }});
  };
  for (size_t i = 0; i < cast.updaters().size(); ++i) {
    const Updater& updater = *cast.updaters()[i];
    add_grace("updater", i, updater.grace());
    watched_.push_back({Check::kNoForwardProgress, fmt::format("updater {} gets no element back", i),
                        [&updater] { return updater.versions(); },
                        [&updater] { return updater.starving(); }});
  }
  for (size_t i = 0; i < cast.fakewriters().size(); ++i)
    add_grace("fakewriter", i, cast.fakewriters()[i]->grace());
  if (const BarrierTorture* barrier = cast.barrier()) {
    watched_.push_back({Check::kNoForwardProgress, "a barrier does not return",
                        [barrier] { return barrier->barriers(); }, [barrier] { return barrier->waiting(); }});
  }
  if (const Domains* domains = cast.domains()) {
    watched_.push_back({Check::kStalledGp, "a grace period of one domain waits for a section of another",
                        [domains] { return domains->steps(); }, [domains] { return domains->busy(); }});
  }
  if (const Flood* flood = cast.flood()) {
    watched_.push_back({Check::kNoForwardProgress, "a flood of callbacks does not drain",
                        [flood] { return flood->invoked(); }, [flood] { return flood->waiting_for() != 0; }});
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

std::optional<Standstill> StallWatch::tick(uint64_t granted_ns) {
  const auto delays = [](const auto& visitor) { return visitor->delaying(); };
  if (std::ranges::any_of(cast_.visitors(), delays)) return std::nullopt;
  for (Watched& w : watched_) {
    const uint64_t progress = w.progress();
    if (progress != w.seen || !w.expected()) {
      w.seen = progress;
      w.still_ns = 0;
    } else if ((w.still_ns += granted_ns) > limit_ns_) {
      w.still_ns = 0;
      return Standstill{w.check,
                        fmt::format("{} (limit {:.1f} s)", w.words, static_cast<double>(limit_ns_) / 1e9)};
    }
  }
  return std::nullopt;
}

}  // namespace torture
