#include "harness/engine/strategy.hpp"

#include <algorithm>
#include <array>

namespace engine {
namespace {

using harness::Random;

class RandomWalk final : public Scheduler {
 public:
  void begin(const Settings& settings) override {
    random_ = Random(settings.seed, "schedule", 0);
    yielded_ = kAgents;
  }

  Agent pick(std::span<const Agent> able, const Step*) override {
    Agent chosen = able[random_.below(able.size())];
    while (chosen == yielded_ && able.size() > 1) chosen = able[random_.below(able.size())];
    yielded_ = kAgents;
    return chosen;
  }

  void yielded(Agent agent) override { yielded_ = agent; }

 private:
  Random random_{0, "", 0};
  Agent yielded_ = kAgents;
};

/// Burckhardt et al., A randomized scheduler with probabilistic guarantees of finding bugs (ASPLOS 2010). A yield puts its
/// thread below all others: without that, whoever spins with the highest priority spins for ever.
class Pct final : public Scheduler {
 public:
  void begin(const Settings& settings) override {
    random_ = Random(settings.seed, "schedule", 0);
    for (int64_t& one : priority_) one = 0;
    changes_ = settings.depth - 1;
    for (unsigned i = 0; i < changes_; ++i)
      change_at_[i] = 1 + random_.below(settings.steps_expected);
    step_ = 0;
    lowest_ = -static_cast<int64_t>(kMostDepth);
    in_time_order_ = random_.below(2) == 0;
  }

  /// In half of the executions the changes' priorities are fixed and their steps are in no order: who is lowered later may come before
  /// who was lowered earlier, and there are bugs that need it. In the others he comes behind, and behind those who yielded before, too.
  Agent pick(std::span<const Agent> able, const Step*) override {
    ++step_;
    Agent chosen = highest(able);
    for (unsigned i = 0; i < changes_; ++i)
      if (change_at_[i] == step_) {
        priority_[chosen] = in_time_order_ ? --lowest_ : -1 - static_cast<int64_t>(i);
        chosen = highest(able);
      }
    return chosen;
  }

  void yielded(Agent agent) override { priority_[agent] = --lowest_; }

 private:
  Agent highest(std::span<const Agent> able) {
    for (Agent one : able)
      if (priority_[one] == 0) priority_[one] = 1 + static_cast<int64_t>(random_.next() >> 2);
    return *std::max_element(able.begin(), able.end(), [this](Agent a, Agent b) { return priority_[a] < priority_[b]; });
  }

  Random random_{0, "", 0};
  std::array<int64_t, kAgents> priority_{};  ///< 0: not drawn yet.
  std::array<uint64_t, kMostDepth - 1> change_at_{};
  unsigned changes_ = 0;
  uint64_t step_ = 0;
  int64_t lowest_ = 0;  ///< Of those that yielded; below all fixed ones.
  bool in_time_order_ = false;
};

/// Yuan, Yang, Gu: Partial order aware concurrency sampling (CAV 2018).
class Pos final : public Scheduler {
 public:
  void begin(const Settings& settings) override {
    random_ = Random(settings.seed, "schedule", 0);
    priority_.fill(0);
    lowest_ = kDrawn;
  }

  Agent pick(std::span<const Agent> able, const Step* next) override {
    Agent chosen = able[0];
    for (Agent one : able) {
      if (priority_[one] == 0) priority_[one] = kDrawn + (random_.next() >> 1);
      if (priority_[one] > priority_[chosen]) chosen = one;
    }
    for (Agent one : able)
      if (one == chosen || next[one].conflicts(next[chosen])) priority_[one] = 0;
    return chosen;
  }

  /// Below all others, also those that yielded before: none of several that wait may keep the rest from coming on.
  void yielded(Agent agent) override { priority_[agent] = --lowest_; }

 private:
  static constexpr uint64_t kDrawn = uint64_t{1} << 63;  ///< From here on.
  Random random_{0, "", 0};
  std::array<uint64_t, kAgents> priority_{};  ///< 0: to be drawn.
  uint64_t lowest_ = kDrawn;
};

}  // namespace

std::unique_ptr<Scheduler> make_scheduler(Strategy strategy) {
  switch (strategy) {
    case Strategy::kRandom: return std::make_unique<RandomWalk>();
    case Strategy::kPct: return std::make_unique<Pct>();
    case Strategy::kPos: break;
  }
  return std::make_unique<Pos>();
}

}  // namespace engine
