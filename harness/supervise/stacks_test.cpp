#include "harness/supervise/stacks.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "harness/supervise/hung_process.hpp"

namespace harness {
namespace {

TEST_F(Hung, ThreadsAnswerThemselves) {
  for (int round = 0; round < 3; ++round) {
    const Stacks stacks = take_stacks(child.pid(), &mailbox, without_gdb());
    EXPECT_EQ(stacks.way, "signal");
    EXPECT_EQ(stacks.why_no_better, "gdb: not wanted");
    EXPECT_TRUE(has(stacks, "stuck_in_the_mud")) << stacks.text;
    EXPECT_TRUE(has(stacks, "running_in_circles")) << stacks.text;
    EXPECT_TRUE(has(stacks, "\"sleeper/0\"")) << stacks.text;
    const size_t first = stacks.text.find("stuck_in_the_mud");
    EXPECT_EQ(stacks.text.find("stuck_in_the_mud", first + 1), std::string::npos) << stacks.text;
    EXPECT_EQ(has(stacks, "on_signal"), kForeignHandler) << "the asking itself shows\n" << stacks.text;
    expect_running();
  }
}

TEST_F(Hung, DynamicSymbolsServeWithoutAnyHelperProgram) {
  StackLimits limits = without_gdb();
  limits.addr2line = "no-such-helper";
  const Stacks stacks = take_stacks(child.pid(), &mailbox, limits);
  EXPECT_EQ(stacks.way, "signal");
  EXPECT_TRUE(has(stacks, "pause (libc")) << stacks.text;
  EXPECT_TRUE(has(stacks, "harness_supervise_test+0x")) << stacks.text;
}

TEST_F(Hung, SaysWhyThereIsNoDebugger) {
  StackLimits limits;
  limits.gdb = "no-such-debugger";
  limits.answer_s = kAnswerS;
  const Stacks stacks = take_stacks(child.pid(), &mailbox, limits);
  EXPECT_EQ(stacks.way, "signal");
  EXPECT_EQ(stacks.why_no_better, "gdb: not installed");
  EXPECT_TRUE(
      stacks.text.starts_with("stacks of process " + std::to_string(child.pid()) + " by signal; gdb:"));
}

TEST_F(Hung, WithoutAHandlerTheKernelsViewIsLeft) {
  const Stacks stacks = take_stacks(child.pid(), nullptr, without_gdb());
  EXPECT_EQ(stacks.way, "proc");
  EXPECT_EQ(stacks.why_no_better, "gdb: not wanted; signal: the process has no handler for it");
  EXPECT_TRUE(has(stacks, "\"sleeper/0\", state S")) << stacks.text;
  EXPECT_TRUE(has(stacks, "waits in ")) << stacks.text;
  EXPECT_FALSE(has(stacks, "waits in ?")) << stacks.text;
}

TEST_F(Hung, AStoppedProcessCannotAnswerAndIsNotWaitedForForEver) {
  child.send(SIGSTOP);
  while (!proc_stopped(child.pid())) sleep_ns(1'000'000);
  StackLimits limits = without_gdb();
  limits.answer_s = 0.2;
  EXPECT_EQ(take_stacks(child.pid(), &mailbox, limits).way, "proc");
  EXPECT_TRUE(proc_stopped(child.pid()));
  child.send(SIGCONT);
  expect_running();
  EXPECT_EQ(take_stacks(child.pid(), &mailbox, without_gdb()).way, "signal")
      << "the late answers were not cleared";
}

TEST(Stacks, AProcessThatIsGone) {
  Child child([] { return 0; });
  ASSERT_TRUE(child.wait(60));
  const Stacks stacks = take_stacks(child.pid(), nullptr);
  EXPECT_EQ(stacks.why_no_better, "the process is gone");
}

}  // namespace
}  // namespace harness
