#pragma once

#include <string_view>
#include <vector>

#include "harness/topology/placement.hpp"

namespace harness {

/// Fills in the PUs of `seats`, which are those of `roles`, as a split such as "readers@numa:0 updaters@pu:3"
/// says. Within its part of the machine a role is spread over the least loaded PUs; roles not named come last
/// and have the whole machine.
void place_split(const Topology& topology, std::string_view split, const Roles& roles,
                 std::vector<Seat>& seats);

}  // namespace harness
