#include "harness/topology/svg.hpp"

#include <gtest/gtest.h>

namespace harness {
namespace {

TEST(Svg, ShowsEveryPuAndEveryRole) {
  const Topology topology = Topology::synthetic("pack:2 core:2 pu:1");
  const std::string svg =
      topology_svg(topology, place(topology, "scatter", {{"reader", 3}, {"updater", 1}}, 1));
  EXPECT_EQ(svg.rfind("<svg", 0), 0U) << svg.substr(0, 80);
  EXPECT_NE(svg.find("reader"), std::string::npos);
  EXPECT_NE(svg.find("updater"), std::string::npos);
  for (const char* pu : {"PU 0", "PU 1", "PU 2", "PU 3"}) EXPECT_NE(svg.find(pu), std::string::npos) << pu;
}

TEST(Svg, EscapesNames) {
  const Topology topology = Topology::synthetic("pu:1");
  const std::string svg = topology_svg(topology, {{"<b>&", 0, 0U}});
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
  EXPECT_NE(svg.find("&lt;b&gt;&amp;"), std::string::npos);
}

}  // namespace
}  // namespace harness
