#include "harness/topology/quota.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace harness {
namespace {

namespace fs = std::filesystem;
using Reader = std::optional<double> (*)(const fs::path& group);

std::optional<double> ratio(double quota, double period) {
  if (quota <= 0 || period <= 0) return {};
  return quota / period;
}

/// "max 100000" or "50000 100000".
std::optional<double> read_v2(const fs::path& group) {
  std::ifstream in(group / "cpu.max");
  double quota = 0, period = 0;
  if (!(in >> quota >> period)) return {};
  return ratio(quota, period);
}

/// A quota of -1 is none.
std::optional<double> read_v1(const fs::path& group) {
  std::ifstream quota_in(group / "cpu.cfs_quota_us"), period_in(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_in >> quota) || !(period_in >> period)) return {};
  return ratio(quota, period);
}

void keep_tighter(std::optional<double>& tightest, std::optional<double> limit) {
  if (limit && (!tightest || *limit < *tightest)) tightest = limit;
}

/// Levels that do not exist are passed over: a container often sees the host's path but only its own mount.
std::optional<double> tightest_up(const fs::path& mount, const std::string& group, Reader read) {
  std::optional<double> tightest;
  fs::path below;
  // A group outside the cgroup namespace is shown with "..", which must not lead out of the mount.
  for (const fs::path& part : fs::path(group).relative_path())
    if (part != ".." && part != ".") below /= part;
  for (;; below = below.parent_path()) {
    keep_tighter(tightest, read(below.empty() ? mount : mount / below));
    if (below.empty()) return tightest;
  }
}

bool names_cpu(const std::string& controllers) {
  std::istringstream in(controllers);
  for (std::string one; std::getline(in, one, ',');)
    if (one == "cpu") return true;
  return false;
}

/// `line` is "hierarchy:controllers:group", the group perhaps with colons of its own.
std::optional<double> limit_of(const fs::path& root, const std::string& line) {
  const size_t first = line.find(':');
  const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos) return {};
  const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
  std::optional<double> tightest;
  if (controllers.empty()) {
    keep_tighter(tightest, tightest_up(root, group, read_v2));
    keep_tighter(tightest, tightest_up(root / "unified", group, read_v2));
  } else if (names_cpu(controllers)) {
    std::vector<std::string> mounts{controllers, "cpu", "cpu,cpuacct", "cpuacct,cpu"};
    for (const std::string& mount : mounts) keep_tighter(tightest, tightest_up(root / mount, group, read_v1));
  }
  return tightest;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& cgroup_root, const fs::path& proc_self_cgroup) {
  std::ifstream in(proc_self_cgroup);
  std::optional<double> tightest;
  for (std::string line; std::getline(in, line);) keep_tighter(tightest, limit_of(cgroup_root, line));
  return tightest;
}

unsigned cpus_at_once(size_t pus, std::optional<double> quota) {
  const auto all = static_cast<double>(pus);
  return static_cast<unsigned>(std::max(1.0, std::min(all, std::ceil(quota.value_or(all)))));
}

std::optional<double> cpu_quota() { return cpu_quota("/sys/fs/cgroup", "/proc/self/cgroup"); }

}  // namespace harness
