#include "harness/record/machine.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "git_state.hpp"

#ifndef SRCUTORTURE_BUILD_TYPE
#define SRCUTORTURE_BUILD_TYPE "unknown"
#endif

namespace harness {
namespace {

using Json = nlohmann::ordered_json;

// The first line of a small file of /proc or /sys; null if there is none.
Json first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) return nullptr;
  return line;
}

// The value of the first "key : value" line, as /proc/cpuinfo and /proc/meminfo have them.
Json value_of(const char* path, const std::string& key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return nullptr;
}

Json kernel() {
  utsname u{};
  if (uname(&u) != 0) return nullptr;
  return {{"nodename", u.nodename},
          {"sysname", u.sysname},
          {"release", u.release},
          {"version", u.version},
          {"machine", u.machine}};
}

Json cpu() {
  return {{"model", value_of("/proc/cpuinfo", "model name")},
          {"online", sysconf(_SC_NPROCESSORS_ONLN)},
          {"governor", first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")},
          {"smt", first_line("/sys/devices/system/cpu/smt/control")},
          {"isolated", first_line("/sys/devices/system/cpu/isolated")}};
}

Json cgroup() {
  return {{"cpu.max", first_line("/sys/fs/cgroup/cpu.max")},
          {"memory.max", first_line("/sys/fs/cgroup/memory.max")},
          {"cpu.cfs_quota_us", first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")}};
}

Json rights() {
  const auto commands = membarrier_commands();
  return {{"membarrier", commands ? Json(*commands) : Json(nullptr)},
          {"ptrace_scope", first_line("/proc/sys/kernel/yama/ptrace_scope")},
          {"capabilities", value_of("/proc/self/status", "CapEff")}};
}

}  // namespace

std::optional<long> membarrier_commands() {
  const long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  return commands < 0 ? std::nullopt : std::optional(commands);
}

Json machine_facts() {
  return {{"kernel", kernel()},
          {"cpu", cpu()},
          {"memory_total", value_of("/proc/meminfo", "MemTotal")},
          {"transparent_hugepage", first_line("/sys/kernel/mm/transparent_hugepage/enabled")},
          {"cgroup", cgroup()},
          {"rights", rights()},
          {"build",
           {{"type", SRCUTORTURE_BUILD_TYPE}, {"compiler", __VERSION__}, {"git", SRCUTORTURE_GIT_STATE}}}};
}

}  // namespace harness
