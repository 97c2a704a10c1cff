#include "harness/engine/litmus/direct.hpp"

#include "harness/base/random.hpp"
#include "harness/engine/litmus/direct_words.hpp"

namespace engine::litmus::direct {
namespace {

class Runner final : public Execution {
 public:
  Runner(const Shape& shape, Model model, uint64_t seed)
      : shape_(shape), model_(model), random_(seed, shape.name, 0), memory_(*this, model), at_(shape.threads.size()) {}

  std::string once() {
    begin();
    while (step()) {
    }
    for (ThreadId id = 1; id <= at_.size(); ++id) memory_.join(0, id);
    stage.thread = 0;
    for (const auto operation : shape_.after) operation();
    if (raced_) return "race";
    std::string outcome;
    for (unsigned i = 0; i < shape_.registers(); ++i) outcome += static_cast<char>('0' + r[i] % 10);
    return outcome;
  }

  unsigned choose(unsigned count) override { return random_.below(2) ? 0 : static_cast<unsigned>(random_.below(count)); }
  void fault(Fault, const Access&, const Access*) override { raced_ = true; }

 private:
  struct Fence {
    ThreadId caller, target;
  };

  void begin() {
    x.reset(), y.reset(), z.reset(), x1.reset(), y1.reset(), x2.reset(), y2.reset(), x8.reset(), y8.reset(), x16.reset(), y16.reset();
    box.reset(), data.reset();
    for (int& each : r) each = 0;
    memory_.begin(model_);
    for (ThreadId id = 1; id <= at_.size(); ++id) memory_.start(id, 0);
    std::fill(at_.begin(), at_.end(), 0);
    fences_.clear();
    raced_ = false;
    stage = {&memory_, 0, false, false, static_cast<ThreadId>(at_.size() + 1), {}, {}, {}};
  }

  /// Among those that can take one: a thread that has something left and waits for no fence, a buffer, a fence.
  bool step() {
    std::vector<unsigned> able;
    const auto threads = static_cast<unsigned>(at_.size());
    for (unsigned i = 0; i < threads; ++i) {
      if (at_[i] < shape_.threads[i].size() && !in_membarrier(i + 1)) able.push_back(i);
      if (memory_.buffered(i + 1)) able.push_back(threads + i);
    }
    for (unsigned i = 0; i < fences_.size(); ++i) able.push_back(2 * threads + i);
    if (able.empty()) return false;
    const unsigned chosen = able[random_.below(able.size())];
    if (chosen < threads)
      operate(chosen);
    else if (chosen < 2 * threads)
      memory_.flush_one(chosen - threads + 1);
    else
      take_fence(chosen - 2 * threads);
    return true;
  }

  void operate(unsigned i) {
    stage.thread = i + 1;
    stage.calls_membarrier = stage.again = false;
    shape_.threads[i][at_[i]]();
    if (!stage.again) ++at_[i];
    if (!stage.calls_membarrier) return;
    for (ThreadId target = 1; target <= at_.size(); ++target)
      if (target != stage.thread) fences_.push_back({stage.thread, target});
    if (fences_.empty()) memory_.membarrier_end(stage.thread);
  }

  void take_fence(unsigned i) {
    const Fence fence = fences_[i];
    memory_.membarrier_at(fence.caller, fence.target);
    fences_.erase(fences_.begin() + i);
    if (!in_membarrier(fence.caller)) memory_.membarrier_end(fence.caller);
  }

  bool in_membarrier(ThreadId id) const {
    for (const Fence& fence : fences_)
      if (fence.caller == id) return true;
    return false;
  }

  const Shape& shape_;
  Model model_;
  harness::Random random_;
  Memory memory_;
  std::vector<size_t> at_;  ///< How far each thread is.
  std::vector<Fence> fences_;
  bool raced_ = false;
};

}  // namespace

std::map<std::string, unsigned> run(const Shape& shape, Model model, unsigned executions, uint64_t seed) {
  Runner runner(shape, model, seed);
  std::map<std::string, unsigned> outcomes;
  for (unsigned i = 0; i < executions; ++i) ++outcomes[runner.once()];
  return outcomes;
}

}  // namespace engine::litmus::direct
