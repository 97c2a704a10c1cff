#pragma once
// In which order a policy fills the PUs: the part of placement that knows nothing of roles.

#include <cstdint>
#include <string_view>
#include <vector>

#include "harness/topology/topology.hpp"

namespace harness {

using Places = std::vector<PuPlace>;

/// The first PU of every core, then the second of every core, and so on; topology order within each.
Places cores_first(Places places);

/// Neighbours in the list are as far apart as can be: packages take turns, in them nodes, caches, cores; a
/// second sibling of a core only after the first of every core. Every prefix is spread, so every role is.
Places spread(Places places);

/// NUMA nodes take turns, each cores first. UsageError with one node.
Places across_numa(const Topology& topology);

/// Only cores with siblings, two siblings side by side. UsageError where no core has two PUs.
Places sibling_pairs(const Topology& topology);

/// The PUs of the widest last-level cache, the first of equals, cores first.
Places within_llc(const Topology& topology);

/// At least `n` PUs: lap after lap over all of them, each lap shuffled anew, so that the load stays even.
Places shuffled_laps(Places places, size_t n, uint64_t seed);

/// The PUs of "0,4" in the order written. UsageError that names the available ones if one is not there.
Places listed(const Topology& topology, std::string_view list);

}  // namespace harness
