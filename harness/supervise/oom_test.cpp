#include "harness/supervise/oom.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace harness {
namespace {

namespace fs = std::filesystem;

/// A root folder with the few files that tell.
class OomKills : public ::testing::Test {
 protected:
  OomKills() {
    std::string pattern = (fs::temp_directory_path() / "oom_kills_XXXXXX").string();
    root = mkdtemp(pattern.data());
  }
  ~OomKills() override { fs::remove_all(root); }

  void put(const fs::path& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  }
  fs::path root;
};

TEST_F(OomKills, CgroupVersion2) {
  put("proc/self/cgroup", "0::/user/run\n");
  put("sys/fs/cgroup/user/run/memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 0\n");
  put("proc/vmstat", "nr_free_pages 1\noom_kill 9\n");
  EXPECT_EQ(oom_kills(root), 4u);
}

TEST_F(OomKills, CgroupVersion1AsAContainerSeesIt) {
  put("proc/self/cgroup", "12:cpu,cpuacct:/elsewhere\n4:memory:/host/only/path\n0::/\n");
  put("sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 6\n");
  EXPECT_EQ(oom_kills(root), 6u);
}

TEST_F(OomKills, WholeMachineWhereNoGroupTells) {
  put("proc/self/cgroup", "0::/\n");
  put("proc/vmstat", "nr_free_pages 1\noom_kill 9\n");
  EXPECT_EQ(oom_kills(root), 9u);
}

TEST_F(OomKills, NothingTells) { EXPECT_EQ(oom_kills(root), 0u); }

}  // namespace
}  // namespace harness
