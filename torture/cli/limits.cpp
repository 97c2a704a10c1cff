#include "torture/cli/limits.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "harness/record/machine.hpp"
#include "harness/topology/quota.hpp"

namespace torture {

Limits limits_here(const harness::Topology& topology) {
  const size_t pus = topology.pus().size();
  Limits limits{harness::cpu_quota(), {}};
  if (limits.quota && *limits.quota < static_cast<double>(pus)) {
    limits.notes.push_back(fmt::format(
        "a cgroup grants {:.2f} of {} CPUs: default thread counts follow, and its pauses show in latencies "
        "and in sched.jitter; raise cpu.max for more",
        *limits.quota, pus));
  }
  if (!harness::membarrier_commands()) {
    limits.notes.push_back(fmt::format(
        "membarrier is refused ({}): a scheme that falls back on a fence in every reader is tortured that "
        "way, and its way without one is not; allow membarrier(2) in this sandbox to torture it",
        std::strerror(errno)));
  }
  return limits;
}

}  // namespace torture
