#include "torture/kernel/strategies.hpp"

#include <fmt/format.h>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "srcu/defer/strategy.hpp"

namespace torture {

std::vector<std::pair<std::string, std::string>> strategies() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const srcu::Strategy* const* at = srcu::all_strategies; *at; ++at)
    found.emplace_back((*at)->name, (*at)->sentence);
  return found;
}

void check_strategy(const std::string& name) {
  if (srcu::find_strategy(name.c_str())) return;
  std::vector<std::string> names = {"nolock"};
  for (const auto& [each, sentence] : strategies()) names.push_back(each);
  throw harness::UsageError(fmt::format("strategy '{}' is unknown{} (all: srcutorture list strategies)", name,
                                        harness::did_you_mean(name, names)));
}

bool bears_signals(const std::string& strategy) {
  return srcu::find_strategy(strategy.c_str())->bears == srcu::Bears::kAnything;
}

std::vector<std::string> strategies_that_bear_nmis() {
  std::vector<std::string> found;
  for (const auto& [name, sentence] : strategies())
    if (srcu::find_strategy(name.c_str())->bears != srcu::Bears::kNoHandler) found.push_back(name);
  return found;
}

}  // namespace torture
