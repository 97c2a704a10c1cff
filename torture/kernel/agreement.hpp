// When what was found contradicts what was predicted.
#pragma once

#include <string>
#include <vector>

namespace torture {

/// What a prediction can be: ok deadlock cycle class_only wait_context leak n/a.
const std::vector<std::string>& prediction_words();

/// Why the prover's or the real run's answer ("ok", a check's name, "n/a") contradicts the prediction; empty if neither
/// does. A hang that was predicted but not seen is no contradiction, nor is what could not be tried.
std::string contradiction(const std::string& predicted, const std::string& prover, const std::string& real);

/// The answer that contradicts, or, if that is "ok", the one that was expected.
std::string contradicting_check(const std::string& predicted, const std::string& prover, const std::string& real);

}  // namespace torture
