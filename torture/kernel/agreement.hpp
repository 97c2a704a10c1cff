// When what was found contradicts what was predicted.
#pragma once

#include <string>
#include <vector>

namespace torture {

/// What a prediction can be: ok deadlock cycle class_only wait_context leak n/a.
const std::vector<std::string>& prediction_words();

/// How an answer contradicts a prediction.
struct Contradiction {
  std::string why;      ///< Empty: it does not.
  std::string check{};  ///< The answer that contradicts; if that is "ok", the one that was expected.
  bool missed = false;  ///< What was expected did not come; nothing bad was seen.
};

/// Compares the prover's and the real run's answer ("ok", a check's name, "n/a") with the prediction. A deadlock that was
/// predicted must be seen, but for one that its rule calls `rare`; what could not be tried contradicts, unless that was predicted.
Contradiction contradiction(const std::string& predicted, const std::string& prover, const std::string& real, bool rare = false);

/// Where nothing was predicted, the prover may say what it likes of locks; that it died, hung or lost a callback is no answer.
Contradiction unforetold(const std::string& prover);

}  // namespace torture
