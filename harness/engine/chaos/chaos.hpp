// Chaos: code under test that is compiled for it runs on really parallel threads, and waits at its atomic accesses now
// and then, by settings that change every few milliseconds.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace engine::chaos {

/// Whether this program has the runtime that compiled-in calls go to. Without it nothing below can be used.
bool linked();

/// Objects so far, in the program and in what it has loaded, that were compiled for it: each says so when it is loaded.
uint64_t units();

/// How often threads were disturbed.
struct Counts {
  uint64_t yields = 0, spins = 0, sleeps = 0;
  uint64_t all() const { return yields + spins + sleeps; }
};

/// Disturbs the process while it lives; at most one at a time, and none at a fork(). A thread of its own changes the settings.
class Chaos {
 public:
  /// The same seed draws the same epochs, and for each thread, in the order of their first accesses, the same numbers.
  /// Broken if the thread cannot be had, or nothing is linked.
  /// While `calm` says so, asked ahead of each epoch by that thread, three in four are quiet: for when fences are tried.
  explicit Chaos(uint64_t seed, std::function<bool()> calm = {});
  ~Chaos();
  Chaos(const Chaos&) = delete;
  Chaos& operator=(const Chaos&) = delete;

  /// \name So far, from any thread
  /// @{
  Counts counts() const;
  std::vector<Counts> by_thread() const;  ///< Threads that came after another had ended may stand with it.
  uint64_t epochs() const;                ///< All of them, quiet ones too.
  std::array<uint64_t, 4> epochs_by_kind() const;
  /// @}

 private:
  struct Rotation;
  std::unique_ptr<Rotation> rotation_;
};

}  // namespace engine::chaos
