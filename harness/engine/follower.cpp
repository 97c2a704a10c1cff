#include "harness/engine/recording.hpp"

#include <algorithm>

namespace engine {
namespace {

class Follower final : public Scheduler {
 public:
  explicit Follower(const Decisions& decisions) : schedule_(decisions.schedule) {}

  void begin(const Settings&) override {}
  void yielded(Agent agent) override {
    if (at_ == schedule_.size()) yielded_ = agent;
  }

  Agent pick(std::span<const Agent> able, const Step*) override {
    const auto can = [able](Agent agent) { return std::find(able.begin(), able.end(), agent) != able.end(); };
    for (; at_ < schedule_.size(); ++at_, done_ = 0) {
      if (done_ == schedule_[at_].steps || !can(schedule_[at_].agent)) continue;
      ++done_;
      return last_ = schedule_[at_].agent;
    }
    if (last_ == yielded_ || !can(last_)) {  // the next in turn
      const auto after = std::upper_bound(able.begin(), able.end(), last_);
      last_ = after == able.end() ? able.front() : *after;
    }
    yielded_ = kAgents;
    return last_;
  }

 private:
  const std::vector<Stretch>& schedule_;
  size_t at_ = 0;
  uint32_t done_ = 0;
  Agent last_ = kAgents, yielded_ = kAgents;
};

}  // namespace

std::unique_ptr<Scheduler> make_follower(const Decisions& decisions) { return std::make_unique<Follower>(decisions); }

}  // namespace engine
