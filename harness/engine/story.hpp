// Tells an execution to people: one line for each step that matters to others.
#pragma once

#include <string>
#include <vector>

#include "harness/engine/recording.hpp"
#include "harness/engine/settings.hpp"

namespace engine {

/// "message at file:line", and the access it clashes with.
std::string tell(const Outcome&);

/// At most `lines`: those that explain the outcome best; what is left out is counted where it was. Of a deadlock, what was done with locks, if
/// they have names.
std::vector<std::string> tell(const Recording&, const Outcome&, size_t lines);
std::vector<std::string> tell_in_full(const Recording&);

}  // namespace engine
