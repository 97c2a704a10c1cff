// What a result depends on: machine, kernel, limits, build.
#pragma once

#include <nlohmann/json.hpp>

namespace harness {

/// Facts for manifest.json. What cannot be learned is null; nothing here fails.
nlohmann::ordered_json machine_facts();

}  // namespace harness
