#include "torture/kernel/agreement.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace torture {
namespace {

using Words = std::vector<std::string>;

struct Expectation {
  const char* predicted;
  Words prover, real;  ///< The answers that agree; the first is the one that was meant.
};

// What cannot be tried contradicts, too, unless that was predicted. The prover says lock_cycle or self_deadlock for the same mistake, whichever edge of it comes first.
const std::vector<Expectation>& expectations() {
  static const std::vector<Expectation> table = {
      {"ok", {"ok"}, {"ok"}},
      {"deadlock", {"self_deadlock", "lock_cycle"}, {"self_deadlock", "lock_cycle"}},
      {"cycle", {"lock_cycle", "self_deadlock"}, {"lock_cycle", "ok"}},
      {"class_only", {"lock_cycle", "self_deadlock"}, {"ok"}},
      {"wait_context", {"wait_context"}, {"wait_context", "ok"}},
      {"leak", {"ok"}, {"lost_callback", "ok"}},
      {"n/a", {"n/a"}, {"n/a"}},
  };
  return table;
}

Expectation expectation_of(const std::string& predicted, bool rare) {
  const auto& all = expectations();
  Expectation found = *std::ranges::find_if(all, [&](const Expectation& one) { return predicted == one.predicted; });
  if (rare) found.real.emplace_back("ok");
  return found;
}

bool agrees(const Words& expected, const std::string& answer) {
  return std::ranges::find(expected, answer) != expected.end();
}

std::string words_of(const char* who, const Words& expected, const std::string& answer) {
  return fmt::format("{} says {}, where {} would agree", who, answer, fmt::join(expected, " or "));
}

}  // namespace

const std::vector<std::string>& prediction_words() {
  static const Words words = [] {
    Words all;
    for (const Expectation& one : expectations()) all.emplace_back(one.predicted);
    return all;
  }();
  return words;
}

Contradiction unforetold(const std::string& prover) {
  static const Words answers = {"ok", "n/a", "lock_cycle", "self_deadlock", "wait_context"};
  return agrees(answers, prover) ? Contradiction{} : Contradiction{words_of("the prover", answers, prover), prover, false};
}

Contradiction contradiction(const std::string& predicted, const std::string& prover, const std::string& real, bool rare) {
  const Expectation expected = expectation_of(predicted, rare);
  std::string why;
  if (!agrees(expected.prover, prover)) why = words_of("the prover", expected.prover, prover);
  const bool real_agrees = agrees(expected.real, real);
  if (!real_agrees) why += (why.empty() ? "" : "; ") + words_of("the real run", expected.real, real);
  if (why.empty()) return {};
  const std::string& answer = real_agrees ? prover : real;
  const bool missed = answer == "ok";
  return {why, missed ? (real_agrees ? expected.prover : expected.real).front() : answer, missed};
}

}  // namespace torture
