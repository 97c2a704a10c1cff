// Outcomes against what the table says.
#pragma once

#include <map>

#include "harness/engine/litmus/shape.hpp"
#include "harness/engine/memory.hpp"

namespace engine::litmus {

using Outcomes = std::map<std::string, unsigned>;

enum class Thoroughness { kForbiddenOnly, kSeenToo };  ///< A few executions need not show all that is claimed.

/// A line for each thing that is not as the table says; empty if all is.
std::vector<std::string> judge(const Shape&, Model, const Outcomes&, Thoroughness);

}  // namespace engine::litmus
