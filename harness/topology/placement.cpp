#include "harness/topology/placement.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "harness/topology/orders.hpp"
#include "harness/topology/role_split.hpp"

namespace harness {
namespace {

constexpr std::string_view kList = "list:";

std::vector<Seat> seats_of(const Roles& roles) {
  std::vector<Seat> seats;
  for (const auto& [role, count] : roles)
    for (unsigned i = 0; i < count; ++i) seats.push_back({role, i, {}});
  return seats;
}

Places order_of(const Topology& topology, std::string_view policy, size_t threads, uint64_t seed) {
  if (policy == "compact") return topology.places();
  if (policy == "cores") return cores_first(topology.places());
  if (policy == "scatter") return spread(topology.places());
  if (policy == "smt-pair") return sibling_pairs(topology);
  if (policy == "same-llc") return within_llc(topology);
  if (policy == "cross-numa") return across_numa(topology);
  if (policy == "one-cpu") return {topology.places().front()};
  if (policy == "random") return shuffled_laps(topology.places(), threads, seed);
  if (policy.starts_with(kList)) return listed(topology, policy.substr(kList.size()));
  throw UsageError(fmt::format("no placement \"{}\"{} (choose from {}, or a split as readers@numa:0)", policy,
                               did_you_mean(policy, placement_names()), fmt::join(placement_names(), " ")));
}

/// Pointers to the seats, the roles taking turns: the two siblings of a pair then go to different roles.
std::vector<Seat*> roles_in_turn(std::vector<Seat>& seats) {
  std::vector<Seat*> order;
  for (Seat& seat : seats) order.push_back(&seat);
  std::stable_sort(order.begin(), order.end(),
                   [](const Seat* a, const Seat* b) { return a->index < b->index; });
  return order;
}

std::vector<Seat*> roles_as_given(std::vector<Seat>& seats) {
  std::vector<Seat*> order;
  for (Seat& seat : seats) order.push_back(&seat);
  return order;
}

}  // namespace

const std::vector<Placement>& placements() {
  static const std::vector<Placement> table = {
      {"none", "not pinned: the kernel chooses, and may move a thread at any time"},
      {"compact", "next to each other, the siblings of a core first"},
      {"cores", "one thread a core, then the cores' second siblings"},
      {"scatter", "as far apart as can be: packages take turns, then NUMA nodes, caches and cores"},
      {"smt-pair", "two threads a core, of different roles where possible"},
      {"same-llc", "all under one last-level cache"},
      {"cross-numa", "NUMA nodes take turns"},
      {"one-cpu", "all threads on the first PU"},
      {"random", "shuffled by the seed"},
      {"list:0,4", "these PUs in this order; ranges as 0-3 too"},
  };
  return table;
}

std::vector<std::string> placement_names() {
  std::vector<std::string> names;
  for (const Placement& placement : placements()) names.emplace_back(placement.name);
  return names;
}

std::vector<Seat> place(const Topology& topology, std::string_view policy, const Roles& roles_and_counts,
                        uint64_t seed) {
  std::vector<Seat> seats = seats_of(roles_and_counts);
  if (policy == "none") return seats;
  if (policy.find('@') != std::string_view::npos) {
    place_split(topology, policy, roles_and_counts, seats);
    return seats;
  }
  const Places order = order_of(topology, policy, seats.size(), seed);
  size_t next = 0;
  for (Seat* seat : policy == "smt-pair" ? roles_in_turn(seats) : roles_as_given(seats))
    seat->pu = order[next++ % order.size()].os;
  return seats;
}

std::string describe(const Topology& topology, const std::vector<Seat>& seats) {
  std::string text;
  for (const Seat& seat : seats) {
    const PuPlace* at = seat.pu ? topology.find(*seat.pu) : nullptr;
    text += fmt::format("{}/{} ", seat.role, seat.index);
    if (!seat.pu)
      text += "not pinned\n";
    else if (!at)
      text += fmt::format("on PU {} (outside this topology)\n", *seat.pu);
    else
      text +=
          fmt::format("on PU {} (core {}, NUMA {}, package {})\n", at->os, at->core, at->numa, at->package);
  }
  return text;
}

}  // namespace harness
