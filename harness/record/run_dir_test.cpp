#include "harness/record/run_dir.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "harness/base/errors.hpp"
#include "harness/record/machine.hpp"

namespace harness {
namespace {

class RunDir : public testing::Test {
 protected:
  RunDir() : before_(std::filesystem::current_path()) {
    std::string pattern = testing::TempDir() + "rundirXXXXXX";
    dir_ = mkdtemp(pattern.data());
    std::filesystem::current_path(dir_);
  }
  ~RunDir() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(dir_);
  }
  std::filesystem::path before_, dir_;
};

TEST_F(RunDir, DefaultIsDatedAndLatestPointsToIt) {
  const auto first = create_run_dir({}, "smoke");
  const auto second = create_run_dir({}, "smoke");
  EXPECT_NE(first, second);
  EXPECT_EQ(std::filesystem::canonical("results/latest"), std::filesystem::canonical(second));
}

TEST_F(RunDir, RunsThatBeginAtOnceShareNone) {
  std::mutex lock;
  std::set<std::filesystem::path> made;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 8; ++j) {
        const auto dir = create_run_dir({}, "smoke");
        const std::lock_guard locked(lock);
        made.insert(dir);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(made.size(), 64U);
}

TEST_F(RunDir, OutMayBeNewOrEmptyButNothingElse) {
  EXPECT_EQ(create_run_dir("a/b", "x"), "a/b");
  EXPECT_EQ(create_run_dir("a/b", "x"), "a/b");
  std::ofstream("a/b/file") << "x";
  EXPECT_THROW(create_run_dir("a/b", "x"), UsageError);
  EXPECT_THROW(create_run_dir("a/b/file", "x"), UsageError);
}

TEST_F(RunDir, PlaceThatCannotBeMadeIsBroken) {
  EXPECT_THROW(create_run_dir("/proc/nowhere/x", "x"), Broken);
}

TEST(Machine, KnowsKernelAndBuild) {
  const auto facts = machine_facts();
  EXPECT_TRUE(facts["kernel"]["release"].is_string());
  char host[256] = {};
  ASSERT_EQ(gethostname(host, sizeof host - 1), 0);
  EXPECT_EQ(facts["kernel"]["nodename"], host);
  EXPECT_GE(facts["cpu"]["online"].get<long>(), 1);
  EXPECT_NE(facts["build"]["type"], "unknown");
}

}  // namespace
}  // namespace harness
