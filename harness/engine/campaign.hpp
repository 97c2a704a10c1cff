// Many executions of one test, in child processes: a broken one takes nothing else with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/engine/run.hpp"
#include "harness/engine/settings.hpp"

namespace engine {

struct Plan {
  uint64_t executions = 100'000;
  double seconds = 0;        ///< Instead, if not 0.
  unsigned jobs = 1;
  bool mix = true;           ///< POS and PCT by turns; otherwise what `settings` say.
  bool each_twice = false;   ///< And compare.
  bool each_handler = false; ///< The handler at each step by turns.
  Settings settings;         ///< `seed` is the campaign's.
};

/// How it went, as children tell it.
struct Report {
  uint64_t executions = 0;
  uint64_t distinct = 0;        ///< Of those, as their hashes tell; of several jobs, what one of them saw.
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

/// One execution, told in full.
Report run_once(const Test&, const Settings&, bool in_full);

/// What execution `index` of a campaign is to do.
Settings settings_of(const Plan&, uint64_t index, uint32_t steps_expected);

}  // namespace engine
