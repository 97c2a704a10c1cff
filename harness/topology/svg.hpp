#pragma once

#include <string>
#include <vector>

#include "harness/topology/placement.hpp"

namespace harness {

/// A drawing of packages, NUMA nodes, cores and PUs as nested boxes, with the threads of `seats` written on
/// their PUs in the colour of their role, and a legend. Names stand beside every colour, so it reads in grey
/// too.
std::string topology_svg(const Topology& topology, const std::vector<Seat>& seats);

}  // namespace harness
