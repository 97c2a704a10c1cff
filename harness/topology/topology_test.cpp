#include "harness/topology/topology.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include <fstream>
#include <thread>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "harness/topology/bind.hpp"
#include "harness/topology/cpu_list.hpp"

namespace harness {
namespace {

TEST(Topology, SyntheticMachines) {
  EXPECT_EQ(Topology::synthetic("pu:1").pus(), (std::vector<unsigned>{0}));
  EXPECT_EQ(Topology::synthetic("core:2 pu:1").pus(), (std::vector<unsigned>{0, 1}));
  const Topology big = Topology::synthetic("pack:2 numa:2 core:8 pu:2");
  EXPECT_EQ(big.pus().size(), 64U);
  EXPECT_EQ(big.numa_nodes(), 4U);
  EXPECT_TRUE(big.dry());
  EXPECT_EQ(big.find(63)->package, 1U);
  EXPECT_EQ(big.find(1)->smt, 1U);
  EXPECT_EQ(big.find(64), nullptr);
}

TEST(Topology, HolesInPuNumbers) {
  const Topology holed = Topology::synthetic("core:4 pu:1(indexes=8,2,5,0)");
  EXPECT_EQ(holed.pus(), (std::vector<unsigned>{0, 2, 5, 8}));  // hwloc orders cores by number
  EXPECT_NE(holed.find(8), nullptr);
  EXPECT_EQ(holed.find(1), nullptr);
}

TEST(Topology, XmlRoundTrip) {
  const Topology before = Topology::synthetic("pack:2 core:2 pu:2");
  std::string file = testing::TempDir() + "topologyXXXXXX";
  close(mkstemp(file.data()));
  std::ofstream(file) << before.xml_text();
  EXPECT_EQ(Topology::xml(file).pus(), before.pus());
  std::filesystem::remove(file);
}

TEST(Topology, PartsAreDisjointEqualAndOfNeighbours) {
  const auto parts = Topology::synthetic("pack:2 core:2 pu:2").parts(4);
  ASSERT_EQ(parts.size(), 4U);
  for (unsigned i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(parts[i].pus(), (std::vector<unsigned>{2 * i, 2 * i + 1}));
    EXPECT_EQ(parts[i].places()[0].core, parts[i].places()[1].core) << "siblings stay together";
    EXPECT_EQ(parts[i].places()[0].core, 0U) << "counted as under taskset";
  }
  EXPECT_EQ(Topology::synthetic("pack:2 core:2 pu:2").parts(1).front().pus().size(), 8U);
}

TEST(Topology, PartsLeaveOutWhatCannotBeDivided) {
  const auto parts = Topology::synthetic("core:5 pu:1(indexes=8,2,5,0,1)").parts(2);
  EXPECT_EQ(parts[0].pus(), (std::vector<unsigned>{0, 1}));
  EXPECT_EQ(parts[1].pus(), (std::vector<unsigned>{2, 5}));
}

TEST(Topology, EveryPartNeedsAPu) {
  const Topology two = Topology::synthetic("core:2 pu:1");
  EXPECT_THROW(two.parts(0), UsageError);
  EXPECT_THROW(two.parts(3), UsageError);
}

TEST(Topology, RefusesWhatIsNone) {
  EXPECT_THROW(Topology::synthetic("potatoes:3"), UsageError);
  EXPECT_THROW(Topology::xml("/no/such/file.xml"), UsageError);
}

// hwloc takes the mask for something else; we must see only what taskset left us.
TEST(Topology, RespectsTheAffinityMask) {
  const unsigned only = affinity().front();
  std::vector<unsigned> seen;
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(only, &one);
    ASSERT_EQ(sched_setaffinity(getpid(), sizeof one, &one), 0);
    seen = Topology::this_machine().pus();
  }).join();
  cpu_set_t all;
  CPU_ZERO(&all);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
  sched_setaffinity(getpid(), sizeof all, &all);
  EXPECT_EQ(seen, (std::vector<unsigned>{only}));
}

TEST(CpuList, BothWays) {
  EXPECT_EQ(parse_cpu_list("0-3,8"), (std::vector<unsigned>{0, 1, 2, 3, 8}));
  EXPECT_EQ(parse_cpu_list("4,0"), (std::vector<unsigned>{4, 0}));
  EXPECT_EQ(cpu_list_text({8, 2, 1, 0}), "0-2,8");
  for (const char* bad : {"", "a", "3-1", "1,,2", "-1", "0-99999999"})
    EXPECT_THROW(parse_cpu_list(bad), UsageError) << bad;
}

TEST(Nearest, FindsWhatWasMeant) {
  const std::vector<std::string> names = {"compact", "cores", "scatter"};
  EXPECT_EQ(nearest_names("compcat", names), (std::vector<std::string>{"compact"}));
  EXPECT_EQ(did_you_mean("scater", names), "; did you mean scatter?");
  EXPECT_EQ(did_you_mean("zzzzzzzzz", names), "");
}

}  // namespace
}  // namespace harness
