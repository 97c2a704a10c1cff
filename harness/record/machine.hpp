// What a result depends on: machine, kernel, limits, build.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace harness {

/// Facts for manifest.json. What cannot be learned is null; nothing here fails.
nlohmann::ordered_json machine_facts();

/// The commands that membarrier(2) offers, as a bit mask; empty, with errno telling why, where it is refused.
std::optional<long> membarrier_commands();

}  // namespace harness
