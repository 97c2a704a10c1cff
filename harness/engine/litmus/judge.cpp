#include "harness/engine/litmus/judge.hpp"

#include <sstream>

namespace engine::litmus {
namespace {

std::vector<std::string> words(const std::string& list) {
  std::istringstream in(list);
  std::vector<std::string> found;
  for (std::string word; in >> word;) found.push_back(word);
  return found;
}

bool matches(const std::string& pattern, const std::string& outcome) {
  if (pattern.size() != outcome.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i)
    if (pattern[i] != outcome[i] && !(pattern[i] == '.' && outcome[i] >= '0' && outcome[i] <= '9')) return false;
  return true;
}

bool any(const std::string& list, const std::string& outcome) {
  for (const std::string& pattern : words(list))
    if (matches(pattern, outcome)) return true;
  return false;
}

const char* wrong_with(const Expected& expected, Model model, const std::string& outcome) {
  if (any(expected.forbidden, outcome)) return "forbidden";
  if (model == Model::kTso && any(expected.x86_forbidden, outcome)) return "forbidden on x86";
  if (any(expected.holes, outcome)) return "a hole that is none";
  return any(expected.seen, outcome) || any(expected.may, outcome) ? nullptr : "not in the table";
}

}  // namespace

std::vector<std::string> judge(const Shape& shape, Model model, const Outcomes& outcomes, Thoroughness thoroughness) {
  std::vector<std::string> complaints;
  const auto complain = [&](const std::string& outcome, const std::string& what) {
    complaints.push_back(shape.name + (model == Model::kTso ? " (tso): " : " (cpp): ") + outcome + " is " + what);
  };
  for (const auto& [outcome, times] : outcomes)
    if (const char* wrong = wrong_with(shape.expected, model, outcome)) complain(outcome, wrong + (", seen " + std::to_string(times)) + " times");
  if (thoroughness == Thoroughness::kForbiddenOnly) return complaints;
  for (const std::string& claimed : words(shape.expected.seen))
    if (!outcomes.contains(claimed) && !(model == Model::kTso && any(shape.expected.x86_forbidden, claimed)))
      complain(claimed, "claimed, and was not seen");
  return complaints;
}

}  // namespace engine::litmus
