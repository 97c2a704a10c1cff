#include "torture/cli/manifest.hpp"

#include <fmt/chrono.h>
#include <hwloc.h>

#include <ctime>

#include "harness/record/machine.hpp"

namespace torture {

nlohmann::ordered_json manifest_json(const std::vector<std::string>& argv, const Limits& limits, unsigned jobs,
                                     const nlohmann::ordered_json& seed) {
  nlohmann::ordered_json machine = harness::machine_facts();
  if (limits.quota) machine["cgroup"]["cpus"] = *limits.quota;
  machine["notes"] = limits.notes;
  return {{"schema", 1},
          {"started", fmt::format("{:%Y-%m-%dT%H:%M:%S%z}", fmt::localtime(std::time(nullptr)))},
          {"machine", machine},
          {"libraries", {{"hwloc", HWLOC_API_VERSION}}},
          {"argv", argv},
          {"jobs", jobs},
          {"seed", seed}};
}

}  // namespace torture
