#include "harness/supervise/command.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "harness/base/clock.hpp"
#include "harness/supervise/proc.hpp"

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

TEST(RunBounded, HasNoInput) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "ours", 4), 4);
  close(ends[1]);
  const int before = dup(STDIN_FILENO);
  dup2(ends[0], STDIN_FILENO);
  const Said said = shell("cat; echo end");
  dup2(before, STDIN_FILENO);
  close(before);
  close(ends[0]);
  EXPECT_EQ(said.output, "end\n");
}

TEST(RunBounded, TellsWhatCannotBeRun) {
  const Said missing = run_bounded({"no-such-program-anywhere"}, kLong, kMuch);
  EXPECT_FALSE(missing.started);
  EXPECT_EQ(missing.trouble, "not installed");
  const Said folder = run_bounded({"/"}, kLong, kMuch);
  EXPECT_FALSE(folder.started);
  EXPECT_EQ(folder.trouble, "Permission denied");
}

TEST(RunBounded, KillsWhatTakesTooLongWithItsChildren) {
  const Said said = shell("sleep 1000 & echo $!; wait", 2);
  EXPECT_TRUE(said.timed_out);
  EXPECT_EQ(said.exit_code, -1);
  const pid_t below = std::stoi(said.output);
  // Nobody may be there to bury it.
  const auto gone = [below] {
    const auto stat = proc_stat(below);
    return !stat || stat->state == 'Z' || stat->state == 'X';
  };
  for (int tries = 0; tries < 3000 && !gone(); ++tries) sleep_ns(10'000'000);
  EXPECT_TRUE(gone()) << "its child lives on";
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
