#include "harness/supervise/oom.hpp"

#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace harness {
namespace {

namespace fs = std::filesystem;

/// The number that follows "oom_kill" in a file of words and numbers.
std::optional<uint64_t> kills_in(const fs::path& file) {
  std::ifstream in(file);
  std::string key;
  for (uint64_t value; in >> key >> value;)
    if (key == "oom_kill") return value;
  return {};
}

bool has_memory(const std::string& controllers) {
  std::istringstream in(controllers);
  for (std::string one; std::getline(in, one, ',');)
    if (one == "memory") return true;
  return false;
}

/// Where the counter of one line "hierarchy:controllers:group" stands; in a container the group is often
/// shown as the host sees it, while only the container's own level is mounted.
std::optional<uint64_t> kills_of(const fs::path& root, const std::string& line) {
  const size_t first = line.find(':'), second = line.find(':', first + 1);
  if (first == line.npos || second == line.npos) return {};
  const std::string controllers = line.substr(first + 1, second - first - 1);
  const fs::path group = fs::path(line.substr(second + 1)).relative_path();
  const fs::path mounts = root / "sys/fs/cgroup";
  if (!controllers.empty() && !has_memory(controllers)) return {};
  const fs::path mount = controllers.empty() ? mounts : mounts / "memory";
  const char* file = controllers.empty() ? "memory.events" : "memory.oom_control";
  if (const auto kills = kills_in(mount / group / file)) return kills;
  return kills_in(mount / file);
}

}  // namespace

uint64_t oom_kills(const fs::path& root) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);)
    if (const auto kills = kills_of(root, line)) return *kills;
  return kills_in(root / "proc/vmstat").value_or(0);
}

}  // namespace harness
