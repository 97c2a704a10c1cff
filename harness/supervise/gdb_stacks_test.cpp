#include "harness/supervise/gdb_stacks.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "harness/base/errors.hpp"
#include "harness/supervise/hung_process.hpp"

namespace harness {
namespace {

TEST_F(Hung, DebuggerNamesTheFunctionsAndLetsTheProcessRun) {
  if (!gdb_installed()) GTEST_SKIP() << "gdb is not installed";
  const Stacks stacks = take_stacks(child.pid(), &mailbox);
  EXPECT_EQ(stacks.way, "gdb") << stacks.text;
  EXPECT_EQ(stacks.why_no_better, "");
  EXPECT_TRUE(has(stacks, "stuck_in_the_mud")) << stacks.text;
  EXPECT_TRUE(has(stacks, "running_in_circles")) << stacks.text;
  EXPECT_TRUE(has(stacks, "sleeper/0")) << stacks.text;
  EXPECT_FALSE(proc_stopped(child.pid()));
  expect_running();
}

TEST_F(Hung, DebuggerLeavesAStoppedProcessStopped) {
  if (!gdb_installed()) GTEST_SKIP() << "gdb is not installed";
  child.send(SIGSTOP);
  while (!proc_stopped(child.pid())) sleep_ns(1'000'000);
  EXPECT_TRUE(has(take_stacks(child.pid(), &mailbox), "stuck_in_the_mud"));
  sleep_ns(100'000'000);
  EXPECT_TRUE(proc_stopped(child.pid()));
  child.send(SIGCONT);
  expect_running();
}

TEST_F(Hung, DebuggerKilledHalfWayLeavesTheProcessRunning) {
  if (!gdb_installed()) GTEST_SKIP() << "gdb is not installed";
  for (const double seconds : {0.02, 0.1, 0.2, 0.4}) {
    StackLimits limits;
    limits.gdb_s = seconds;
    limits.answer_s = kAnswerS;
    EXPECT_TRUE(has(take_stacks(child.pid(), &mailbox, limits), "stuck_in_the_mud")) << seconds;
    expect_running();
  }
}

/// A stand-in for the debugger: a shell script that knows the process as $pid.
class FakeDebugger {
 public:
  explicit FakeDebugger(const std::string& body)
      : folder_((std::filesystem::temp_directory_path() / "stacks_XXXXXX").string()) {
    if (!mkdtemp(folder_.data())) throw Broken("no folder for a script");
    std::ofstream(path()) << "#!/bin/sh\nwhile [ \"$1\" != -p ]; do shift; done\npid=$2\n" << body << "\n";
    chmod(path().c_str(), 0700);
  }
  ~FakeDebugger() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/debugger"; }

 private:
  std::string folder_;
};

TEST_F(Hung, DebuggerThatHangsIsGivenUp) {
  const FakeDebugger slow("sleep 1000");
  StackLimits limits;
  limits.gdb = slow.path();
  limits.gdb_s = 0.3;
  limits.answer_s = kAnswerS;
  const Stacks stacks = take_stacks(child.pid(), &mailbox, limits);
  EXPECT_EQ(stacks.why_no_better, "gdb: not ready after 0.3 s");
  EXPECT_TRUE(has(stacks, "stuck_in_the_mud")) << stacks.text;
}

TEST_F(Hung, StopThatADebuggerLeftBehindIsLifted) {
  for (const char* body : {"kill -STOP $pid; exit 1", "kill -STOP $pid; sleep 1000"}) {
    const FakeDebugger careless(body);
    StackLimits limits;
    limits.gdb = careless.path();
    limits.gdb_s = 2;
    limits.answer_s = kAnswerS;
    EXPECT_EQ(take_stacks(child.pid(), &mailbox, limits).way, "signal");
    EXPECT_FALSE(proc_stopped(child.pid())) << body;
    expect_running();
  }
}

TEST_F(Hung, StopThatADebuggerLiftedIsPutBack) {
  const FakeDebugger careless("kill -CONT $pid; exit 1");
  child.send(SIGSTOP);
  while (!proc_stopped(child.pid())) sleep_ns(1'000'000);
  StackLimits limits;
  limits.gdb = careless.path();
  limits.answer_s = 0.5;
  take_stacks(child.pid(), &mailbox, limits);
  EXPECT_TRUE(proc_stopped(child.pid()));
}

TEST_F(Hung, DebuggerCutShortIsCompletedByOtherMeans) {
  const FakeDebugger slow("echo '#0  only_this_much ()'; sleep 1000");
  StackLimits limits;
  limits.gdb = slow.path();
  limits.gdb_s = 2;
  limits.answer_s = kAnswerS;
  const Stacks stacks = take_stacks(child.pid(), &mailbox, limits);
  EXPECT_EQ(stacks.way, "gdb");
  EXPECT_EQ(stacks.why_no_better, "gdb: not ready after 2 s");
  EXPECT_TRUE(has(stacks, "only_this_much")) << stacks.text;
  EXPECT_TRUE(has(stacks, "stuck_in_the_mud")) << stacks.text;
}

TEST(Stacks, RefusedPtraceIsSaid) {
  if (!gdb_installed()) GTEST_SKIP() << "gdb is not installed";
  ProgressBoard board(1);
  StackMailbox mailbox;
  // Who is traced already cannot be traced again; signals go to the tracer first, which here does not pass
  // them on.
  Child child(
      [&board]() -> int {
        ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        board.claim("traced");
        stuck_in_the_mud();
        return 0;
      },
      &mailbox);
  while (board.read().empty()) sleep_ns(1'000'000);
  StackLimits limits;
  limits.answer_s = 0.2;
  const Stacks stacks = take_stacks(child.pid(), &mailbox, limits);
  EXPECT_EQ(stacks.way, "proc");
  EXPECT_NE(stacks.why_no_better.find("gdb: ptrace refused ("), std::string::npos) << stacks.why_no_better;
  EXPECT_NE(stacks.why_no_better.find("signal: no thread answered"), std::string::npos)
      << stacks.why_no_better;
}

}  // namespace
}  // namespace harness
