#include "harness/topology/topology.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "harness/base/errors.hpp"
#include "harness/topology/bind.hpp"
#include "harness/topology/cpu_list.hpp"

namespace harness {
namespace {

struct FreeBitmap {
  void operator()(hwloc_bitmap_t bitmap) const { hwloc_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<hwloc_bitmap_s, FreeBitmap>;

unsigned llc_of(hwloc_obj_t pu, hwloc_obj_t package) {
  hwloc_obj_t outermost = package ? package : pu;
  bool cached = false;
  for (hwloc_obj_t above = pu->parent; above; above = above->parent) {
    if (hwloc_obj_type_is_dcache(above->type)) {
      outermost = above;
      cached = true;
    } else if (!above->parent && !cached && !package) {
      outermost = above;  // Neither cache nor package is known: the machine is the one thing shared.
    }
  }
  return static_cast<unsigned>(hwloc_bitmap_first(outermost->cpuset));
}

/// The node with the fewest PUs among those that cover `os`: with nodes nested, the innermost is the nearest.
unsigned numa_of(hwloc_topology_t topology, unsigned os) {
  hwloc_obj_t nearest = nullptr;
  for (hwloc_obj_t node = nullptr; (node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node));) {
    if (!hwloc_bitmap_isset(node->cpuset, os)) continue;
    if (!nearest || hwloc_bitmap_weight(node->cpuset) < hwloc_bitmap_weight(nearest->cpuset)) nearest = node;
  }
  return nearest ? nearest->os_index : 0;
}

PuPlace place_of(hwloc_topology_t topology, hwloc_obj_t pu) {
  const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);
  const hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, pu);
  return {.os = pu->os_index,
          .core = core ? core->logical_index : pu->logical_index,
          .smt = 0,
          .llc = llc_of(pu, package),
          .numa = numa_of(topology, pu->os_index),
          .package = package ? package->logical_index : 0};
}

void restrict_to(hwloc_topology_t topology, const std::vector<unsigned>& cpus) {
  const Bitmap mask(hwloc_bitmap_alloc());
  for (unsigned cpu : cpus) hwloc_bitmap_set(mask.get(), cpu);
  if (hwloc_topology_restrict(topology, mask.get(), HWLOC_RESTRICT_FLAG_REMOVE_CPULESS) != 0) {
    throw Broken(
        fmt::format("hwloc cannot restrict the topology to CPUs {} ({}): start it with a wider taskset mask",
                    cpu_list_text(cpus), std::strerror(errno)));
  }
}

/// hwloc takes minutes over a level of 100000 PUs, so a mistyped width must be caught before it.
constexpr double kWidestSynthetic = 16384;

/// The product of the widths in "pack:2 numa:2 core:8"; what stands in (...) and [...] is no width.
double synthetic_width(const std::string& description) {
  double product = 1, width = 0;
  int nested = 0;
  bool digits = false;
  for (const char c : description + " ") {
    nested += (c == '(' || c == '[') - (c == ')' || c == ']');
    const bool separates = c == ' ' || c == '(' || c == '\t' || c == '\n';
    if (separates && digits) product *= width;
    if (separates || c == ':') width = 0, digits = false;
    if (nested > 0 || c < '0' || c > '9') continue;
    width = width * 10 + (c - '0');
    digits = true;
  }
  return product;
}

std::string counted(size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

size_t distinct(const std::vector<PuPlace>& places, unsigned PuPlace::*field) {
  std::set<unsigned> values;
  for (const PuPlace& place : places) values.insert(place.*field);
  return values.size();
}

}  // namespace

Topology::Handle Topology::make() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) throw Broken("hwloc cannot start: free some memory and run again");
  return Handle(raw);
}

Topology::Topology(Handle loaded) : handle_(std::move(loaded)) {
  for (hwloc_obj_t pu = nullptr; (pu = hwloc_get_next_obj_by_type(raw(), HWLOC_OBJ_PU, pu));) {
    PuPlace place = place_of(raw(), pu);
    // The PUs of a core stand together in topology order.
    if (!places_.empty() && places_.back().core == place.core) place.smt = places_.back().smt + 1;
    places_.push_back(place);
    pus_.push_back(place.os);
  }
  if (pus_.empty()) throw Broken("hwloc found no PU: check that /sys is mounted");
}

Topology Topology::this_machine() {
  Handle handle = make();
  if (hwloc_topology_load(handle.get()) != 0)
    throw Broken(
        fmt::format("hwloc cannot read this machine ({}): check that /sys is mounted and that no HWLOC_ "
                    "variable is set",
                    std::strerror(errno)));
  // hwloc does not honour the affinity mask by itself: under `taskset -c 1` it would offer PU 0, and binding
  // there succeeds, so the harness would escape from the user's mask without a word.
  if (hwloc_topology_is_thissystem(handle.get())) restrict_to(handle.get(), affinity(getpid()));
  return Topology(std::move(handle));
}

Topology Topology::synthetic(const std::string& description) {
  if (synthetic_width(description) > kWidestSynthetic)
    throw UsageError(
        fmt::format("\"{}\" is wider than the {} PUs a synthetic topology may have: narrow a level",
                    description, kWidestSynthetic));
  Handle handle = make();
  if (hwloc_topology_set_synthetic(handle.get(), description.c_str()) != 0 ||
      hwloc_topology_load(handle.get()) != 0)
    throw UsageError(
        fmt::format("\"{}\" is not a synthetic topology: write widths from the outside in, as \"pack:2 "
                    "numa:2 core:8 pu:2\"",
                    description));
  return Topology(std::move(handle));
}

Topology Topology::xml(const std::filesystem::path& file) {
  if (access(file.c_str(), R_OK) != 0)
    throw UsageError(fmt::format("cannot read topology file {} ({}): make one with lstopo --of xml > FILE",
                                 file.string(), std::strerror(errno)));
  Handle handle = make();
  if (hwloc_topology_set_xml(handle.get(), file.c_str()) != 0 || hwloc_topology_load(handle.get()) != 0)
    throw UsageError(fmt::format("{} is not a topology that hwloc reads: make it with lstopo --of xml > FILE",
                                 file.string()));
  return Topology(std::move(handle));
}

std::vector<Topology> Topology::parts(unsigned count) const {
  if (count == 0 || count > pus_.size())
    throw UsageError(fmt::format(
        "cannot divide {} (PUs {}) among {} jobs, which need one each: choose --jobs from 1 to {}",
        counted(pus_.size(), "PU"), cpu_list_text(pus_), count, pus_.size()));
  const auto size = static_cast<ptrdiff_t>(pus_.size() / count);
  std::vector<Topology> parts;
  for (auto first = pus_.begin(); parts.size() < count; first += size) {
    hwloc_topology_t copy = nullptr;
    if (hwloc_topology_dup(&copy, raw()) != 0)
      throw Broken("hwloc cannot copy the topology: free some memory and run again");
    Handle handle(copy);
    restrict_to(copy, {first, first + size});
    parts.push_back(Topology(std::move(handle)));
  }
  return parts;
}

bool Topology::dry() const { return !hwloc_topology_is_thissystem(raw()); }

const PuPlace* Topology::find(unsigned os) const {
  const auto at = std::find_if(places_.begin(), places_.end(), [&](const PuPlace& p) { return p.os == os; });
  return at == places_.end() ? nullptr : &*at;
}

unsigned Topology::numa_nodes() const { return static_cast<unsigned>(distinct(places_, &PuPlace::numa)); }

std::string Topology::summary() const {
  return fmt::format("{}, {}, {}, {}", counted(places_.size(), "PU"),
                     counted(distinct(places_, &PuPlace::core), "core"), counted(numa_nodes(), "NUMA node"),
                     counted(distinct(places_, &PuPlace::package), "package"));
}

std::string Topology::xml_text() const {
  char* buffer = nullptr;
  int length = 0;
  if (hwloc_topology_export_xmlbuffer(raw(), &buffer, &length, 0) != 0)
    throw Broken("hwloc cannot write the topology as XML: free some memory and run again");
  std::string text(buffer);
  hwloc_free_xmlbuffer(raw(), buffer);
  return text;
}

}  // namespace harness
