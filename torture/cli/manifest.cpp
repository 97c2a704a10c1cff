#include "torture/cli/manifest.hpp"

#include <fmt/chrono.h>
#include <gnu/libc-version.h>
#include <hwloc.h>

#include <ctime>

#include "harness/record/machine.hpp"

#ifndef SRCUTORTURE_URCU_VERSION
#error "the build gives SRCUTORTURE_URCU_VERSION"
#endif

namespace torture {
namespace {

// The last number counts the interface's revisions within a release.
std::string hwloc_version() {
  const unsigned api = hwloc_get_api_version();
  return fmt::format("{}.{}.{}", api >> 16, (api >> 8) & 0xff, api & 0xff);
}

nlohmann::ordered_json libraries() {
  return {{"liburcu", SRCUTORTURE_URCU_VERSION}, {"hwloc", hwloc_version()}, {"libc", gnu_get_libc_version()}};
}

}  // namespace

nlohmann::ordered_json manifest_json(const std::vector<std::string>& argv, const Limits& limits, unsigned jobs,
                                     const nlohmann::ordered_json& seed) {
  nlohmann::ordered_json machine = harness::machine_facts();
  if (limits.quota) machine["cgroup"]["cpus"] = *limits.quota;
  machine["notes"] = limits.notes;
  return {{"schema", 1},
          {"started", fmt::format("{:%Y-%m-%dT%H:%M:%S%z}", fmt::localtime(std::time(nullptr)))},
          {"machine", machine},
          {"libraries", libraries()},
          {"argv", argv},
          {"jobs", jobs},
          {"seed", seed}};
}

}  // namespace torture
