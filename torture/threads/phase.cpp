#include "torture/threads/phase.hpp"

#include <algorithm>
#include <sstream>

#include "harness/base/errors.hpp"

namespace torture {

const std::vector<Phase>& all_phases() {
  constexpr unsigned all = ~0U;
  static const std::vector<Phase> phases = {
      // name      stuffing nesting delays flags  stutter readers updaters
      {"ordering", true, false, false, false, false, 2,
       1},  // no flags: a store after the lock would drain nothing,
            // but it would sit in the buffer we stuff
      {"races", false, true, false, true, true, all, all},
      {"liveness", false, true, false, false, false, all, all},  // no stutter: a pause resets a stall's clock
      {"control", false, true, true, true, true, all, all},
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
