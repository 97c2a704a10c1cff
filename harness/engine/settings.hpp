// All that decides what happens in one execution. The same program with the same settings does the same again.
#pragma once

#include <cstdint>
#include <string>

#include "harness/engine/memory.hpp"

namespace engine {

enum class Strategy : uint8_t {
  kRandom,  ///< Each step is anybody's.
  kPct,     ///< Fixed random priorities, lowered at depth - 1 random steps: where nobody gives way, an execution of at most `steps_expected`
            ///< steps finds a bug of that depth with a chance of at least 1 / (2 * threads * steps_expected ^ (depth - 1)).
  kPos,     ///< A random priority for each step, drawn again when a step that conflicts with it was made.
};

/// What may go wrong around the code under test; each is drawn where it could happen.
enum FaultBits : uint32_t {
  kSpuriousWake = 1,    ///< A wait ends for no reason.
  kInterrupted = 2,     ///< A wait or sleep is cut short, as by a signal.
  kEarlyTimeout = 4,    ///< A limited wait ends before its time; unlike the other two this is what a slow machine shows.
  kNoMembarrier = 8,    ///< The kernel has no membarrier: all through the execution.
  kNoMemory = 16,       ///< An allocation fails.
  kMigrations = 32,     ///< Threads change CPU.
  kHandlers = 64,       ///< The test's signal handler runs.
};

inline constexpr unsigned kMostDepth = 17;

inline constexpr uint32_t kDefaultFaults = kSpuriousWake | kInterrupted | kEarlyTimeout | kMigrations | kHandlers;

struct Settings {
  Model model = Model::kCpp;
  Strategy strategy = Strategy::kPos;
  unsigned depth = 3;               ///< kPct only; 1 to kMostDepth.
  uint32_t steps_expected = 200;    ///< In which to spread the changes of priority and the handlers.
  unsigned stale_percent = 70;      ///< How often a load that could read an old value may do so.
  unsigned stale_in_a_row = 8;      ///< Then a thread reads a newest one: spinning must end.
  uint32_t faults = kDefaultFaults;
  uint32_t step_limit = 50'000;     ///< More is a livelock.
  uint32_t handler_at = 0;          ///< Exhaustive placing: the handler runs at this step of its thread, counted from 1; 0: random.
  uint64_t seed = 1;
  std::string dropped{};            ///< The labelled order that the code under test is to do without: orders.hpp. Empty: none.
};

/// How an execution ended.
struct Outcome {
  enum class Kind : uint8_t { kFine, kCheck, kFault, kDeadlock, kLivelock, kNoProgress, kMisuse, kCrash };
  Kind kind = Kind::kFine;
  std::string what;         ///< One line.
  uintptr_t where = 0, before = 0;  ///< Return addresses, for report and comparison.
  uint64_t hash = 0;        ///< Of all that happened.
  uint32_t steps = 0;

  bool fine() const { return kind == Kind::kFine; }
  /// Places count where they are the finding's, in any order: of two accesses that race, either may be the later one.
  bool same_finding(const Outcome& other) const {
    if (kind != other.kind || what != other.what) return false;
    if (kind == Kind::kDeadlock || kind == Kind::kLivelock || kind == Kind::kNoProgress) return true;
    return (where == other.where && before == other.before) || (where == other.before && before == other.where);
  }
};

}  // namespace engine
