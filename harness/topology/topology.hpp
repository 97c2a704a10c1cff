#pragma once

#include <hwloc.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace harness {

/// Where one PU sits. PUs and NUMA nodes carry the kernel's numbers, as taskset and numactl take them; cores
/// and packages are counted from 0 in topology order, because the kernel's core numbers repeat in every
/// package.
struct PuPlace {
  unsigned os;       ///< The kernel's CPU number.
  unsigned core;     ///< Without cores in the topology, every PU is a core of its own.
  unsigned smt;      ///< 0 for the first PU of its core, 1 for the next.
  unsigned llc;      ///< Last-level cache, named by its first PU; the package where no cache is known.
  unsigned numa;     ///< The nearest node; 0 where none is known.
  unsigned package;  ///< 0 where none is known.
};

/// A loaded hwloc topology. Never changes after it is made, so any thread may read it.
class Topology {
 public:
  /// The machine as this process may use it: its cpuset cgroup AND the affinity mask its main thread has now.
  /// Call it before the main thread binds itself. Dry when HWLOC_SYNTHETIC or HWLOC_XMLFILE stand in the
  /// environment.
  static Topology this_machine();

  /// From an hwloc description such as "pack:2 numa:2 core:8 pu:2". UsageError if it is none.
  static Topology synthetic(const std::string& description);

  /// From a file that lstopo or xml_text() wrote. UsageError if it cannot be read.
  static Topology xml(const std::filesystem::path& file);

  /// `count` disjoint parts of equal size, neighbours together; each is what this_machine() would be under
  /// taskset with its PUs. Left-over PUs, fewer than `count`, are in none. UsageError unless every part has a
  /// PU.
  std::vector<Topology> parts(unsigned count) const;

  /// True if this is not the running system: placement can be computed, but binds must not be attempted.
  bool dry() const;

  /// OS indices in topology order: siblings stand together. Never empty, may have holes.
  const std::vector<unsigned>& pus() const { return pus_; }

  /// One entry for each of pus(), in the same order.
  const std::vector<PuPlace>& places() const { return places_; }

  /// The place of the PU with this OS index; nullptr if it is not in the topology.
  const PuPlace* find(unsigned os) const;

  /// Nodes that are nearest to some PU; memory without PUs and HBM beside DRAM do not count.
  unsigned numa_nodes() const;

  /// One line: "2 PUs, 2 cores, 1 NUMA node, 1 package".
  std::string summary() const;

  /// hwloc's XML, which xml() and lstopo read.
  std::string xml_text() const;

  hwloc_topology_t raw() const { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
  };
  using Handle = std::unique_ptr<hwloc_topology, Destroy>;

  explicit Topology(Handle loaded);
  static Handle make();

  Handle handle_;
  std::vector<PuPlace> places_;
  std::vector<unsigned> pus_;
};

}  // namespace harness
