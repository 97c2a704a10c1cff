// What an execution did, so that it can be told, or repeated with changes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/engine/memory.hpp"
#include "harness/engine/strategy.hpp"

namespace engine {

/// `steps` steps in a row by one agent.
struct Stretch {
  Agent agent;
  uint32_t steps;
};

/// All that was left to chance. To be followed, not to the letter: who cannot run is passed over.
struct Decisions {
  std::vector<Stretch> schedule;
  std::array<std::vector<uint8_t>, kMaxThreads> choices;  ///< Of each thread, in its order; 0: the usual.
  std::array<std::vector<uint32_t>, kMaxThreads> handlers;  ///< Each that was set, in order: step of the thread before which it ran; 0: did not.
};

struct Event {
  Agent agent = 0;
  Step step;
  Value read = 0, written = 0;
  bool changed = true;  ///< False: a compare-exchange that failed, a wait that did not sleep.
  bool old = false;     ///< The load did not take the newest value.
  std::vector<uintptr_t> callers{};  ///< At locks that have a name: where the one who made the step was called from, and so on.
};

struct Recording {
  Decisions decisions;
  std::vector<Event> events;
  size_t told_from = 0;  ///< The events before made things ready.
  std::map<uintptr_t, std::string> locks;
  std::array<std::string, kMaxThreads> threads;
};

/// Follows `decisions`, then lets each thread run as long as it can.
std::unique_ptr<Scheduler> make_follower(const Decisions&);

}  // namespace engine
