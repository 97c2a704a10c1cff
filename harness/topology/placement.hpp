#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/topology/topology.hpp"

namespace harness {

/// One thread and where it shall run.
struct Seat {
  std::string role;
  unsigned index;              ///< Within the role.
  std::optional<unsigned> pu;  ///< OS index; empty: not pinned.
};

/// Role names and how many threads of each.
using Roles = std::vector<std::pair<std::string, unsigned>>;

/// What `place` takes: a name, or for "list:" an example, and what it does in one sentence.
struct Placement {
  const char *name, *sentence;
};
const std::vector<Placement>& placements();

/// Their names alone.
std::vector<std::string> placement_names();

/// A seat for every thread, role by role in the order given. `policy` is one of placement_names(), or a role
/// split such as "readers@numa:0 updaters@numa:1" with numa, core, package or pu; roles it does not name are
/// scattered. Threads beyond the PUs wrap around evenly. UsageError, naming the cure, for what the topology
/// cannot give.
std::vector<Seat> place(const Topology& topology, std::string_view policy, const Roles& roles_and_counts,
                        uint64_t seed);

/// One line per seat: "reader/0 on PU 3 (core 1, NUMA 0, package 0)" or "reader/0 not pinned".
std::string describe(const Topology& topology, const std::vector<Seat>& seats);

}  // namespace harness
