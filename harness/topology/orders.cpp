#include "harness/topology/orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "harness/base/errors.hpp"
#include "harness/base/random.hpp"
#include "harness/topology/cpu_list.hpp"

namespace harness {
namespace {

using Field = unsigned PuPlace::*;

/// Groups of equal `field`, in the order in which each first appears.
std::vector<Places> groups_by(const Places& places, Field field) {
  std::vector<Places> groups;
  std::map<unsigned, size_t> at;
  for (const PuPlace& place : places) {
    const auto [entry, fresh] = at.try_emplace(place.*field, groups.size());
    if (fresh) groups.emplace_back();
    groups[entry->second].push_back(place);
  }
  return groups;
}

/// One of each group in turn; a group that has run out is passed over.
Places take_turns(const std::vector<Places>& groups) {
  size_t longest = 0;
  for (const Places& group : groups) longest = std::max(longest, group.size());
  Places merged;
  for (size_t i = 0; i < longest; ++i)
    for (const Places& group : groups)
      if (i < group.size()) merged.push_back(group[i]);
  return merged;
}

Places spread_from(const Places& places, size_t level) {
  static constexpr std::array<Field, 3> kLevels{&PuPlace::package, &PuPlace::numa, &PuPlace::llc};
  if (level == kLevels.size()) return places;
  auto groups = groups_by(places, kLevels[level]);
  for (Places& group : groups) group = spread_from(group, level + 1);
  return take_turns(groups);
}

}  // namespace

Places cores_first(Places places) {
  std::stable_sort(places.begin(), places.end(),
                   [](const PuPlace& a, const PuPlace& b) { return a.smt < b.smt; });
  return places;
}

Places spread(Places places) {
  // Rank by rank: in uneven packages, taking turns alone would reach a sibling while cores are still empty.
  Places result;
  for (const Places& rank : groups_by(cores_first(std::move(places)), &PuPlace::smt)) {
    const Places order = spread_from(rank, 0);
    result.insert(result.end(), order.begin(), order.end());
  }
  return result;
}

Places across_numa(const Topology& topology) {
  auto nodes = groups_by(topology.places(), &PuPlace::numa);
  if (nodes.size() < 2)
    throw UsageError("placement cross-numa needs two NUMA nodes and this topology has 1: use scatter");
  for (Places& node : nodes) node = cores_first(std::move(node));
  return take_turns(nodes);
}

Places sibling_pairs(const Topology& topology) {
  Places result;
  for (const Places& core : groups_by(topology.places(), &PuPlace::core))
    for (const PuPlace& place : core)
      if ((place.smt | 1u) < core.size()) result.push_back(place);
  if (result.empty())
    throw UsageError("placement smt-pair needs a core with two PUs and this topology has none: use same-llc");
  std::stable_sort(result.begin(), result.end(),
                   [](const PuPlace& a, const PuPlace& b) { return a.smt / 2 < b.smt / 2; });
  return result;
}

Places within_llc(const Topology& topology) {
  auto caches = groups_by(topology.places(), &PuPlace::llc);
  const auto widest = std::max_element(caches.begin(), caches.end(),
                                       [](const Places& a, const Places& b) { return a.size() < b.size(); });
  return cores_first(std::move(*widest));
}

Places shuffled_laps(Places places, size_t n, uint64_t seed) {
  Random random(seed, "placement", 0);
  Places laps;
  do {
    for (size_t i = places.size(); i > 1; --i) std::swap(places[i - 1], places[random.below(i)]);
    laps.insert(laps.end(), places.begin(), places.end());
  } while (laps.size() < n);
  return laps;
}

Places listed(const Topology& topology, std::string_view list) {
  Places result;
  for (unsigned cpu : parse_cpu_list(list)) {
    const PuPlace* place = topology.find(cpu);
    if (!place)
      throw UsageError(
          fmt::format("PU {} is not in this topology: choose from {}", cpu, cpu_list_text(topology.pus())));
    result.push_back(*place);
  }
  return result;
}

}  // namespace harness
