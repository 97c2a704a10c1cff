// Many executions of one test, in child processes: a broken one takes nothing else with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/engine/run.hpp"
#include "harness/engine/settings.hpp"
#include "harness/engine/token.hpp"

namespace engine {

/// How long an execution may wait for something that is not the engine's, and so may never come.
inline constexpr double kPatience_s = 60;

struct Plan {
  uint64_t executions = 100'000;
  double seconds = 0;        ///< Instead, if not 0.
  unsigned jobs = 1;
  bool mix = true;           ///< POS and PCT by turns; otherwise what `settings` say.
  bool each_twice = false;   ///< And compare.
  bool each_handler = false; ///< The handler at each step by turns.
  double patience_s = kPatience_s;
  Settings settings;         ///< `seed` is the campaign's.
};

/// How it went, as children tell it.
struct Report {
  uint64_t executions = 0;
  uint64_t distinct = 0;        ///< Of those, as their hashes tell.
  bool distinct_at_least = false;  ///< Too many to be counted to the end.
  uint64_t failed_in = UINT64_MAX;  ///< The failing execution, counted from 0.
  double seconds = 0;           ///< CPU time.
  bool failed = false, broken = false;
  std::string what;             ///< Of the failure, with its place.
  std::string token;
  uint32_t steps = 0, shrunk_steps = 0;
  uint64_t hash = 0;            ///< Of the failing execution; of all, if none failed.
  std::vector<std::string> story;
};

/// Of two reports of one campaign, which is to be told?
bool worse(const Report& one, const Report& than);

/// Stops at the first failure.
Report run_campaign(const Test&, const Plan&);

/// One execution, told in full. Broken if it does not come to the token's hash.
Report run_once(const Test&, const Token&, bool in_full, double patience_s = kPatience_s);

/// What execution `index` of a campaign is to do.
Settings settings_of(const Plan&, uint64_t index, uint32_t steps_expected);

}  // namespace engine
