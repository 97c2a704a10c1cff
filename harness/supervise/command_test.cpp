#include "harness/supervise/command.hpp"

#include <gtest/gtest.h>

#include "harness/base/clock.hpp"

namespace harness {
namespace {

constexpr double kLong = 60;
constexpr size_t kMuch = 1 << 20;

Said shell(const std::string& script, double seconds = kLong, size_t bytes = kMuch) {
  return run_bounded({"sh", "-c", script}, seconds, bytes);
}

TEST(RunBounded, TakesBothOutputsAndTheStatus) {
  const Said said = shell("echo out; echo err >&2; exit 7");
  EXPECT_TRUE(said.started);
  EXPECT_EQ(said.exit_code, 7);
  EXPECT_NE(said.output.find("out\n"), std::string::npos);
  EXPECT_NE(said.output.find("err\n"), std::string::npos);
  EXPECT_FALSE(said.timed_out || said.cut);
}

TEST(RunBounded, HasNoInput) { EXPECT_EQ(shell("cat; echo end").output, "end\n"); }

TEST(RunBounded, TellsWhatCannotBeRun) {
  const Said missing = run_bounded({"no-such-program-anywhere"}, kLong, kMuch);
  EXPECT_FALSE(missing.started);
  EXPECT_EQ(missing.trouble, "not installed");
  const Said folder = run_bounded({"/"}, kLong, kMuch);
  EXPECT_FALSE(folder.started);
  EXPECT_EQ(folder.trouble, "Permission denied");
}

TEST(RunBounded, KillsWhatTakesTooLongWithItsChildren) {
  const uint64_t start = now_ns();
  const Said said = shell("echo before; sleep 1000 | sleep 1000", 2);
  EXPECT_TRUE(said.timed_out);
  EXPECT_EQ(said.exit_code, -1);
  EXPECT_EQ(said.output, "before\n");
  EXPECT_LT(now_ns() - start, 500'000'000'000ULL) << "it waited for the sleeps";
}

TEST(RunBounded, KillsWhatClosesItsOutputAndStays) {
  EXPECT_TRUE(shell("exec >&- 2>&-; sleep 1000", 0.3).timed_out);
}

TEST(RunBounded, CutsWhatSaysTooMuch) {
  const Said said = shell("while :; do echo again and again; done", kLong, 1000);
  EXPECT_TRUE(said.cut);
  EXPECT_EQ(said.output.size(), 1000u);
}

TEST(RunBounded, SignalIsNoExit) { EXPECT_EQ(shell("kill -9 $$").exit_code, -1); }

}  // namespace
}  // namespace harness
