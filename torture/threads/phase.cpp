#include "torture/threads/phase.hpp"

#include <algorithm>
#include <sstream>

#include "harness/base/errors.hpp"

namespace torture {

const std::vector<Phase>& all_phases() {
  constexpr unsigned all = ~0U;
  static const std::vector<Phase> phases = {
      // name      stuffing nesting relay stays  delays flags  stutter readers updaters lasts
      // no flags: a store after the lock would drain nothing, but it would sit in the buffer we stuff
      {"ordering", true, false, false, false, false, false, false, 2, 1, 1},
      {"races", false, true, false, true, false, true, true, all, all, 1},
      // no stutter: a pause resets a stall's clock; and longer than the stalls that it is to show
      {"liveness", false, true, true, false, false, false, false, all, all, 3},
      {"control", false, true, false, false, true, true, true, all, all, 1},
  };
  return phases;
}

std::vector<Phase> parse_phases(const std::string& words, unsigned cpus) {
  std::vector<Phase> chosen;
  std::istringstream in(words);
  for (std::string word; in >> word;) {
    const Phase* found = nullptr;
    for (const Phase& phase : all_phases()) {
      if (word == phase.name) found = &phase;
    }
    if (!found)
      throw harness::UsageError("phase '" + word +
                                "' is unknown; choose from: ordering races liveness control");
    chosen.push_back(*found);
    if (found->stuffing) chosen.back().readers = std::min(found->readers, std::max(cpus, 2U) - 1);
  }
  if (chosen.empty())
    throw harness::UsageError("phases is empty; choose from: ordering races liveness control");
  return chosen;
}

}  // namespace torture
