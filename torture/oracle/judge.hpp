// From the files of a run directory, and nothing else, to its verdict.
#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "torture/oracle/verdict.hpp"

namespace torture {

/// Judges one scenario's directory. Never fails: what is missing or cut short becomes INTERRUPTED or BROKEN.
Judgement judge_scenario(const std::filesystem::path& dir);

/// A whole run: its own judgement (scenario empty) and those of its scenarios by directory name.
struct RunJudgement {
  Judgement whole;
  std::vector<std::pair<std::string, Judgement>> scenarios;
  nlohmann::ordered_json json() const;
  /// As for its verdict; but only a run in which all was SKIPPED is one that says nothing.
  int exit_status() const;
};

/// Scenarios that were started and have no verdict.json are INTERRUPTED at best; see recorded.hpp. UsageError if `dir` is no
/// run directory (missing, or without a plan.json that is one).
RunJudgement judge_run(const std::filesystem::path& dir);

}  // namespace torture
