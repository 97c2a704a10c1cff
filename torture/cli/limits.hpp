// What the machine or its container withholds from a run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/topology/topology.hpp"

namespace torture {

struct Limits {
  std::optional<double> quota;     ///< CPUs' worth of time that cgroups grant; empty: no limit.
  std::vector<std::string> notes;  ///< One line each: what is withheld, what follows, what to do.
};

Limits limits_here(const harness::Topology& topology);

}  // namespace torture
