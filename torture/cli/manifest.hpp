// What a run directory's manifest.json says: where, when and how the run was started.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "torture/cli/limits.hpp"

namespace torture {

/// \param seed the run's, as words; null where a run draws nothing.
nlohmann::ordered_json manifest_json(const std::vector<std::string>& argv, const Limits& limits, unsigned jobs,
                                     const nlohmann::ordered_json& seed);

}  // namespace torture
