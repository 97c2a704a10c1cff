#include "harness/supervise/stacks.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/command.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/supervise/progress_board.hpp"
#include "harness/supervise/stack_mailbox.hpp"

namespace harness {
namespace {

// Each waits or spins in its own function, never to return; outside of these, nothing bears these names.
[[gnu::noinline, gnu::noclone]] void stuck_in_the_mud() {
  for (;;) pause();
}
[[gnu::noinline, gnu::noclone]] void running_in_circles(ProgressBoard::Slot& slot) {
  for (;;) slot.beat();
}

/// A hung process: one thread asleep, one spinning, the main thread waiting for them.
class Hung : public ::testing::Test {
 protected:
  Hung() : board(2), child(body(), &mailbox) {
    while (board.read().size() < 2) sleep_ns(1'000'000);
  }

  std::function<int()> body() {
    return [this] {
      std::thread sleeper([this] {
        pthread_setname_np(pthread_self(), "sleeper/0");
        board.claim("sleeper/0");
        stuck_in_the_mud();
      });
      std::thread runner([this] {
        pthread_setname_np(pthread_self(), "runner/0");
        running_in_circles(board.claim("runner/0"));
      });
      sleeper.join();
      runner.join();
      return 0;
    };
  }

  uint64_t beats() const {
    uint64_t sum = 0;
    for (const auto& reading : board.read()) sum += reading.beats;
    return sum;
  }
  void expect_running() const {
    const uint64_t before = beats();
    for (int tries = 0; tries < 6000 && beats() == before; ++tries) sleep_ns(10'000'000);
    EXPECT_GT(beats(), before) << "the process was left stopped";
  }
  static StackLimits without_gdb() {
    StackLimits limits;
    limits.gdb_s = 0;
    limits.answer_s = 60;
    return limits;
  }

  ProgressBoard board;
  StackMailbox mailbox;
  Child child;
};

bool has(const Stacks& stacks, const char* words) { return stacks.text.find(words) != std::string::npos; }

bool gdb_installed() { return run_bounded({"gdb", "--version"}, 60, 1 << 20).exit_code == 0; }

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
    limits.answer_s = 60;
    EXPECT_TRUE(has(take_stacks(child.pid(), &mailbox, limits), "stuck_in_the_mud")) << seconds;
    expect_running();
  }
}

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
    EXPECT_FALSE(has(stacks, "on_signal")) << "the asking itself shows\n" << stacks.text;
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
  limits.answer_s = 60;
  const Stacks stacks = take_stacks(child.pid(), &mailbox, limits);
  EXPECT_EQ(stacks.way, "signal");
  EXPECT_EQ(stacks.why_no_better, "gdb: not installed");
  EXPECT_TRUE(
      stacks.text.starts_with("stacks of process " + std::to_string(child.pid()) + " by signal; gdb:"));
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
  limits.answer_s = 60;
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
    limits.answer_s = 60;
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
  limits.answer_s = 60;
  const Stacks stacks = take_stacks(child.pid(), &mailbox, limits);
  EXPECT_EQ(stacks.way, "gdb");
  EXPECT_EQ(stacks.why_no_better, "gdb: not ready after 2 s");
  EXPECT_TRUE(has(stacks, "only_this_much")) << stacks.text;
  EXPECT_TRUE(has(stacks, "stuck_in_the_mud")) << stacks.text;
}

TEST_F(Hung, WithoutAHandlerTheKernelsViewIsLeft) {
  const Stacks stacks = take_stacks(child.pid(), nullptr, without_gdb());
  EXPECT_EQ(stacks.way, "proc");
  EXPECT_EQ(stacks.why_no_better, "gdb: not wanted; signal: the process has no handler for it");
  EXPECT_TRUE(has(stacks, "\"sleeper/0\", state S")) << stacks.text;
  EXPECT_TRUE(has(stacks, "waits in ")) << stacks.text;
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

TEST(Stacks, AProcessThatHasNotInstalledTheHandlerIsNotKilledByTheQuestion) {
  StackMailbox mailbox;
  Child child([]() -> int {
    stuck_in_the_mud();
    return 0;
  });
  EXPECT_TRUE(mailbox.ask(child.pid(), 0.1).empty());
  EXPECT_FALSE(child.wait(0.1));
}

TEST(Stacks, AProcessThatIsGone) {
  Child child([] { return 0; });
  ASSERT_TRUE(child.wait(60));
  const Stacks stacks = take_stacks(child.pid(), nullptr);
  EXPECT_EQ(stacks.why_no_better, "the process is gone");
}

TEST(StackMailbox, MoreThreadsThanRoom) {
  ProgressBoard board(2);
  StackMailbox mailbox(1);
  Child child(
      [&board]() -> int {
        std::thread([&board] {
          board.claim("one");
          stuck_in_the_mud();
        }).detach();
        board.claim("two");
        stuck_in_the_mud();
        return 0;
      },
      &mailbox);
  while (board.read().size() < 2) sleep_ns(1'000'000);
  for (int round = 0; round < 3; ++round) EXPECT_EQ(mailbox.ask(child.pid(), 60).size(), 1u);
}

}  // namespace
}  // namespace harness
