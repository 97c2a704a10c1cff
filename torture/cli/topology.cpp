#include <fmt/format.h>

#include "harness/base/errors.hpp"
#include "harness/record/files.hpp"
#include "harness/topology/placement.hpp"
#include "harness/topology/quota.hpp"
#include "harness/topology/svg.hpp"
#include "torture/cli/commands.hpp"

namespace torture {
namespace {

harness::Topology chosen(const TopologyOptions& options) {
  if (!options.synthetic.empty() && !options.xml.empty())
    throw harness::UsageError("--xml and --synthetic describe a machine each: choose one of them");
  if (!options.synthetic.empty()) return harness::Topology::synthetic(options.synthetic);
  if (!options.xml.empty()) return harness::Topology::xml(options.xml);
  return harness::Topology::this_machine();
}

}  // namespace

int topology_command(const TopologyOptions& options) {
  const harness::Topology topology = chosen(options);
  const auto seats =
      harness::place(topology, options.place, {{"updater", 1}, {"reader", options.threads}}, 0);
  fmt::print("{}\n", topology.summary());
  if (const auto quota = topology.dry() ? std::nullopt : harness::cpu_quota()) {
    fmt::print("a cgroup grants {:.2f} CPUs' worth of time: threads are throttled beyond that\n", *quota);
  }
  fmt::print("{}", harness::describe(topology, seats));
  if (!options.svg.empty()) harness::write_once(options.svg, harness::topology_svg(topology, seats), "--svg");
  return 0;
}

}  // namespace torture
