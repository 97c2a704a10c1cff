// The words in which a run is judged.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace torture {

/// Worst first; a run has the worst of its scenarios.
enum class Verdict {
  kCrash,
  kHang,
  kDeadlock,
  kFailure,
  kBroken,
  kInterrupted,
  kInconclusive,
  kSkipped,
  kSuccess
};

const char* verdict_name(Verdict verdict);
/// What `run` and `check` exit with: 0 SUCCESS, 1 the thing under test failed, 3 BROKEN, 4 too little
/// happened to judge.
int exit_status(Verdict verdict);
/// The verdict that a failure of this check gives.
Verdict verdict_of_check(const std::string& check);
/// Smaller is nearer to the cause: the order in which failures are listed.
size_t causal_rank(const std::string& check);
/// All check names, in causal order, each with a sentence: for lists.
const std::vector<std::pair<std::string, std::string>>& checks();

/// One line of `failures`.
struct Failure {
  std::string check;
  uint64_t count = 1;
  double first_s = 0;
  std::string message, evidence;
  std::string signature{};  ///< Where the evidence itself tells it; else the judge works it out.
};

/// What verdict.json of a scenario holds.
struct Judgement {
  Verdict verdict = Verdict::kInterrupted;
  std::string why;  ///< One line for a person; empty for SUCCESS.
  std::string signature;
  std::string scenario, flavor, seed, canary;
  double duration_s = 0;
  std::vector<Failure> failures;
  nlohmann::ordered_json counts, injectors, latency;

  nlohmann::ordered_json json() const;
};

}  // namespace torture
