#include "harness/topology/placement.hpp"

#include <gtest/gtest.h>

#include <set>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

std::vector<unsigned> pus_of(const std::vector<Seat>& seats) {
  std::vector<unsigned> pus;
  for (const Seat& seat : seats) pus.push_back(seat.pu.value());
  return pus;
}

std::vector<unsigned> placed(const Topology& topology, std::string_view policy, unsigned threads) {
  return pus_of(place(topology, policy, {{"reader", threads}}, 1));
}

const Topology& big() {
  static const Topology topology = Topology::synthetic("pack:2 numa:2 core:8 pu:2");
  return topology;
}

TEST(Placement, OnePu) {
  const Topology one = Topology::synthetic("pu:1");
  for (const char* policy : {"compact", "cores", "scatter", "same-llc", "one-cpu", "random", "list:0"}) {
    EXPECT_EQ(placed(one, policy, 3), (std::vector<unsigned>{0, 0, 0})) << policy;
  }
}

TEST(Placement, TwoPusTakeTurns) {
  const Topology two = Topology::synthetic("core:2 pu:1");
  EXPECT_EQ(placed(two, "scatter", 3), (std::vector<unsigned>{0, 1, 0}));
  EXPECT_EQ(placed(two, "compact", 3), (std::vector<unsigned>{0, 1, 0}));
  EXPECT_EQ(placed(two, "one-cpu", 2), (std::vector<unsigned>{0, 0}));
}

TEST(Placement, BigMachine) {
  EXPECT_EQ(placed(big(), "compact", 4), (std::vector<unsigned>{0, 1, 2, 3}));
  EXPECT_EQ(placed(big(), "cores", 4), (std::vector<unsigned>{0, 2, 4, 6}));
  const auto scattered = placed(big(), "scatter", 4);
  std::set<unsigned> nodes;
  for (const unsigned pu : scattered) nodes.insert(big().find(pu)->numa);
  EXPECT_EQ(nodes.size(), 4U);
  std::set<unsigned> both;
  for (const unsigned pu : placed(big(), "cross-numa", 2)) both.insert(big().find(pu)->numa);
  EXPECT_EQ(both.size(), 2U);
  const auto pairs = placed(big(), "smt-pair", 2);
  EXPECT_EQ(big().find(pairs[0])->core, big().find(pairs[1])->core);
}

TEST(Placement, HolesAreNeverFilled) {
  const Topology holed = Topology::synthetic("core:3 pu:1(indexes=9,4,0)");
  for (const unsigned pu : placed(holed, "random", 9)) EXPECT_NE(holed.find(pu), nullptr);
  EXPECT_EQ(placed(holed, "list:9,0", 3), (std::vector<unsigned>{9, 0, 9}));
  EXPECT_THROW(placed(holed, "list:1", 1), UsageError);
}

TEST(Placement, RandomHangsOnTheSeedAlone) {
  const Roles roles = {{"reader", 16}};
  EXPECT_EQ(pus_of(place(big(), "random", roles, 7)), pus_of(place(big(), "random", roles, 7)));
  EXPECT_NE(pus_of(place(big(), "random", roles, 7)), pus_of(place(big(), "random", roles, 8)));
}

TEST(Placement, RoleSplit) {
  const auto seats = place(big(), "readers@numa:0 updaters@numa:1", {{"updater", 2}, {"reader", 3}}, 1);
  for (const Seat& seat : seats) EXPECT_EQ(big().find(*seat.pu)->numa, seat.role == "reader" ? 0U : 1U);
}

TEST(Placement, NoneLeavesThreadsFree) {
  for (const Seat& seat : place(big(), "none", {{"reader", 2}}, 1)) EXPECT_FALSE(seat.pu);
}

TEST(Placement, WhatCannotBeIsUsage) {
  const Topology two = Topology::synthetic("core:2 pu:1");
  for (const char* policy :
       {"sideways", "cross-numa", "smt-pair", "readers@numa:7", "readers@", "list:", "writers@pu:0"}) {
    EXPECT_THROW(placed(two, policy, 2), UsageError) << policy;
  }
}

TEST(Placement, WordsNameEverySeat) {
  const auto seats = place(big(), "compact", {{"reader", 1}, {"updater", 1}}, 1);
  EXPECT_EQ(describe(big(), seats),
            "reader/0 on PU 0 (core 0, NUMA 0, package 0)\nupdater/0 on PU 1 (core 0, NUMA 0, package 0)\n");
}

}  // namespace
}  // namespace harness
