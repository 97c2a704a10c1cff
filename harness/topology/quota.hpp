#pragma once

#include <filesystem>
#include <optional>

namespace harness {

/// CPUs' worth of time that cgroups grant this process, as 1.5; empty if no limit is set or none can be seen.
/// The affinity mask and hwloc know nothing of it, yet a throttled thread looks like a stalled one.
std::optional<double> cpu_quota();

/// The same from given places: `cgroup_root` for /sys/fs/cgroup (v2, v1 or both), `proc_self_cgroup` for
/// /proc/self/cgroup. Every level from the process's group up to the root counts; the tightest holds.
std::optional<double> cpu_quota(const std::filesystem::path& cgroup_root,
                                const std::filesystem::path& proc_self_cgroup);

/// How many threads make progress at the same time on so many PUs: as many, or fewer if the quota is less.
/// At least 1.
unsigned cpus_at_once(size_t pus, std::optional<double> quota);

}  // namespace harness
