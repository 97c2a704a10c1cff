// Changes the settings every few milliseconds.
#include "harness/engine/chaos/chaos.hpp"
#include "harness/engine/chaos/runtime.hpp"
#include "harness/threads/named_thread.hpp"
#include "harness/threads/pace.hpp"

namespace engine::chaos {

struct Chaos::Rotation {
  harness::Pace pace;
  std::array<std::atomic<uint64_t>, kKinds> epochs{};  // relaxed: counts with one writer
  std::function<bool()> calm;
  unsigned calm_epochs = 0;
  harness::NamedThread thread;  // last: it uses the others

  Rotation(uint64_t seed, std::function<bool()> when_calm)
      : calm(std::move(when_calm)), thread("chaos", std::nullopt, [this, seed] { rotate(seed); }) {}

  bool hushed() { return calm && calm() && ++calm_epochs % 4 != 0; }

  void rotate(uint64_t seed) {
    Epochs drawn(seed);
    do {
      reap();
      Epoch epoch = drawn.next(seen());  // in any case: what follows must not depend on calm
      if (hushed()) epoch = {};
      auto& count = epochs[static_cast<unsigned>(epoch.kind)];
      count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      current.store(epoch.word(), std::memory_order_relaxed);  // relaxed: see point()
    } while (pace.sleep(static_cast<double>(drawn.length_ns()) / 1e9));
  }
};

Chaos::Chaos(uint64_t seed, std::function<bool()> calm) {
  begin(seed);
  rotation_ = std::make_unique<Rotation>(seed, std::move(calm));
}

Chaos::~Chaos() {
  rotation_->pace.stop();
  rotation_->thread.join();
  current.store(0, std::memory_order_relaxed);  // relaxed: who looks late is disturbed once more
}

std::vector<Counts> Chaos::by_thread() const { return counts_by_thread(); }

Counts Chaos::counts() const {
  Counts sum;
  for (const Counts& one : counts_by_thread()) {
    sum.yields += one.yields;
    sum.spins += one.spins;
    sum.sleeps += one.sleeps;
  }
  return sum;
}

std::array<uint64_t, 4> Chaos::epochs_by_kind() const {
  std::array<uint64_t, kKinds> counts{};
  for (unsigned i = 0; i < kKinds; ++i) counts[i] = rotation_->epochs[i].load(std::memory_order_relaxed);
  return counts;
}

uint64_t Chaos::epochs() const {
  uint64_t sum = 0;
  for (const uint64_t count : epochs_by_kind()) sum += count;
  return sum;
}

}  // namespace engine::chaos
