// Which steps of a long execution explain how it ended.
#pragma once

#include <cstddef>
#include <vector>

#include "harness/engine/recording.hpp"
#include "harness/engine/settings.hpp"

namespace engine {

/// Of `events`, in their order, those to tell: true for each of them. With a line for each gap between them there are `most` lines at the most.
std::vector<bool> most_relevant(const std::vector<const Event*>& events, const Outcome&, size_t most);

}  // namespace engine
