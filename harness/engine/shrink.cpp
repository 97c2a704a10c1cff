#include "harness/engine/shrink.hpp"

#include <algorithm>
#include <tuple>

namespace engine {
namespace {

constexpr unsigned kMostTries = 4000;
constexpr uint64_t kMostSteps = 20'000'000, kMostStepsWithoutEnd = 2'000'000;  // of a livelock each try takes all that it may

auto cost(const Decisions& decisions, uint32_t steps) {
  size_t unusual = 0;
  for (const auto& choices : decisions.choices)
    unusual += static_cast<size_t>(std::count_if(choices.begin(), choices.end(), [](uint8_t one) { return one != 0; }));
  for (const auto& handlers : decisions.handlers) unusual += static_cast<size_t>(std::count_if(handlers.begin(), handlers.end(), [](uint32_t at) { return at != 0; }));
  return std::tuple(decisions.schedule.size(), unusual, steps);
}

class Shrinker {
 public:
  Shrinker(Run& run, const Test& test, const Settings& settings, const Outcome& found) : run_(run), test_(test), settings_(settings) {
    run_.record_to(&best_.recording);
    best_.outcome = run_.execute(test_, settings_);
    best_.repeats = best_.outcome.hash == found.hash && best_.outcome.same_finding(found);
  }

  Shrunk shrunk() && {
    while (best_.repeats && may_try() && (fewer_stretches() || longer_stretches() || fewer_oddities())) {
    }
    run_.follow(nullptr);
    run_.record_to(nullptr);
    return std::move(best_);
  }

 private:
  bool may_try() const {
    return best_.tries < kMostTries && steps_ < (best_.outcome.kind == Outcome::Kind::kLivelock ? kMostStepsWithoutEnd : kMostSteps);
  }
  Decisions& best() { return best_.recording.decisions; }

  /// Takes over what `decisions` lead to if it finds the same and is cheaper.
  bool better(const Decisions& decisions) {
    ++best_.tries;
    const uint64_t before = run_.steps_ever();
    Recording recording;
    run_.follow(&decisions);
    run_.record_to(&recording);
    Outcome outcome = run_.execute(test_, settings_);
    steps_ += run_.steps_ever() - before;
    if (!outcome.same_finding(best_.outcome) ||
        cost(recording.decisions, outcome.steps) >= cost(best(), best_.outcome.steps))
      return false;
    best_.outcome = std::move(outcome);
    best_.recording = std::move(recording);
    return true;
  }

  bool fewer_stretches() {
    bool any = false;
    for (size_t i = best().schedule.size(); i-- > 0 && may_try();) {
      if (i >= best().schedule.size()) continue;
      Decisions without = best();
      without.schedule.erase(without.schedule.begin() + static_cast<ptrdiff_t>(i));
      any |= better(without);
    }
    return any;
  }

  /// A thread that goes on until it ends or must wait does not come again.
  bool longer_stretches() {
    bool any = false;
    for (size_t i = 0; i < best().schedule.size() && may_try(); ++i) {
      const auto steps_later = [&] {
        uint32_t steps = 0;
        for (size_t j = i + 1; j < best().schedule.size(); ++j)
          if (best().schedule[j].agent == best().schedule[i].agent) return steps = best().schedule[j].steps;
        return steps;
      }();
      for (const uint32_t more : {steps_later, steps_later / 2, uint32_t{1}}) {
        if (more == 0) continue;
        Decisions longer = best();
        longer.schedule[i].steps += more;
        if (better(longer)) {
          any = true;
          break;
        }
      }
    }
    return any;
  }

  bool fewer_oddities() {
    bool any = false;
    for (size_t thread = 0; thread < kMaxThreads; ++thread) {
      any |= fewer([thread](Decisions& it) -> auto& { return it.choices[thread]; });
      any |= fewer([thread](Decisions& it) -> auto& { return it.handlers[thread]; });
    }
    return any;
  }

  /// With as many as can be of them 0.
  bool fewer(auto numbers_of) {
    bool any = false;
    for (size_t i = 0; i < numbers_of(best()).size() && may_try(); ++i) {
      if (numbers_of(best())[i] == 0) continue;
      Decisions usual = best();
      numbers_of(usual)[i] = 0;
      any |= better(usual);
    }
    return any;
  }

  Run& run_;
  const Test& test_;
  const Settings& settings_;
  Shrunk best_;
  uint64_t steps_ = 0;
};

}  // namespace

Shrunk shrink(Run& run, const Test& test, const Settings& settings, const Outcome& found) {
  return Shrinker(run, test, settings, found).shrunk();
}

}  // namespace engine
