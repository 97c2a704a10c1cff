#include "harness/topology/role_split.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "harness/topology/cpu_list.hpp"
#include "harness/topology/orders.hpp"

namespace harness {
namespace {

using Field = unsigned PuPlace::*;

std::string_view singular(std::string_view role) {
  return role.size() > 1 && role.back() == 's' ? role.substr(0, role.size() - 1) : role;
}

Field domain_field(std::string_view word) {
  static const std::map<std::string, Field, std::less<>> kFields{{"numa", &PuPlace::numa},
                                                                 {"core", &PuPlace::core},
                                                                 {"pu", &PuPlace::os},
                                                                 {"package", &PuPlace::package}};
  if (const auto at = kFields.find(word); at != kFields.end()) return at->second;
  throw UsageError(fmt::format("\"{}\" is no part of a machine{}: use numa, core, package or pu", word,
                               did_you_mean(word, {"numa", "core", "pu", "package"})));
}

/// The PUs of "numa:0", spread.
Places domain(const Topology& topology, std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  const Field field = domain_field(word);
  const auto numbers = parse_cpu_list(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  if (numbers.size() != 1)
    throw UsageError(fmt::format("\"{}\" names several: write one number, as {}:0", text, word));
  Places inside;
  std::vector<unsigned> available;
  for (const PuPlace& place : topology.places()) {
    available.push_back(place.*field);
    if (place.*field == numbers[0]) inside.push_back(place);
  }
  if (inside.empty())
    throw UsageError(fmt::format("{} {} is not in this topology: choose from {}", word, numbers[0],
                                 cpu_list_text(available)));
  return spread(inside);
}

std::vector<std::string_view> words(std::string_view split) {
  std::vector<std::string_view> found;
  for (size_t start = 0; start < split.size();) {
    const size_t end = std::min(split.find_first_of(" ,", start), split.size());
    if (end > start) found.push_back(split.substr(start, end - start));
    start = end + 1;
  }
  return found;
}

std::string known_role(std::string_view name, const Roles& roles) {
  std::vector<std::string> names;
  for (const auto& [role, count] : roles) {
    if (singular(role) == singular(name)) return role;
    names.push_back(role);
  }
  throw UsageError(fmt::format("no role \"{}\" in this run: choose from {}", name, fmt::join(names, ", ")));
}

std::map<std::string, Places> parse(const Topology& topology, std::string_view split, const Roles& roles) {
  std::map<std::string, Places> domains;
  for (std::string_view word : words(split)) {
    const size_t at = word.find('@');
    if (at == std::string_view::npos || at == 0)
      throw UsageError(fmt::format("\"{}\" is no role split: write ROLE@PART:N, as readers@numa:0", word));
    const std::string role = known_role(word.substr(0, at), roles);
    if (!domains.try_emplace(role, domain(topology, word.substr(at + 1))).second)
      throw UsageError(fmt::format("role \"{}\" is placed twice: name it once", role));
  }
  return domains;
}

/// Domains may overlap, so evenness is kept by what each PU already carries and not by a cursor in each
/// domain.
class Loads {
 public:
  unsigned take(const Places& from) {
    const auto least = std::min_element(from.begin(), from.end(), [&](const PuPlace& a, const PuPlace& b) {
      return load_[a.os] < load_[b.os];
    });
    ++load_[least->os];
    return least->os;
  }

 private:
  std::map<unsigned, unsigned> load_;
};

}  // namespace

void place_split(const Topology& topology, std::string_view split, const Roles& roles,
                 std::vector<Seat>& seats) {
  const auto domains = parse(topology, split, roles);
  const Places everywhere = spread(topology.places());
  Loads loads;
  for (Seat& seat : seats)
    if (const auto named = domains.find(seat.role); named != domains.end())
      seat.pu = loads.take(named->second);
  for (Seat& seat : seats)
    if (!domains.contains(seat.role)) seat.pu = loads.take(everywhere);
}

}  // namespace harness
