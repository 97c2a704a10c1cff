#include "harness/topology/quota.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace harness {
namespace {

namespace fs = std::filesystem;

class Quota : public testing::Test {
 protected:
  Quota() {
    std::string pattern = testing::TempDir() + "quotaXXXXXX";
    dir_ = mkdtemp(pattern.data());
  }
  ~Quota() override { fs::remove_all(dir_); }
  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((dir_ / file).parent_path());
    std::ofstream(dir_ / file) << text;
  }
  std::optional<double> quota() const { return cpu_quota(dir_ / "cgroup", dir_ / "self"); }
  fs::path dir_;
};

TEST_F(Quota, TightestLevelOfV2Holds) {
  write("self", "0::/a/b\n");
  write("cgroup/cgroup.controllers", "cpu\n");
  write("cgroup/a/cpu.max", "150000 100000\n");
  write("cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(Quota, V1HasAQuotaFile) {
  write("self", "3:cpu,cpuacct:/x\n");
  for (const char* top : {"cgroup/cpu", "cgroup/cpu,cpuacct"}) {
    write(std::string(top) + "/x/cpu.cfs_quota_us", "50000\n");
    write(std::string(top) + "/x/cpu.cfs_period_us", "100000\n");
  }
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(Quota, NoLimitOrNoCgroup) {
  EXPECT_EQ(quota(), std::nullopt);
  write("self", "0::/a\n");
  write("cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST(CpusAtOnce, AreAsManyAsTheQuotaGrants) {
  EXPECT_EQ(cpus_at_once(8, {}), 8u);
  EXPECT_EQ(cpus_at_once(8, 2.0), 2u);
  EXPECT_EQ(cpus_at_once(8, 2.5), 3u);
  EXPECT_EQ(cpus_at_once(2, 64), 2u);
  EXPECT_EQ(cpus_at_once(8, 0.1), 1u);
}

}  // namespace
}  // namespace harness
