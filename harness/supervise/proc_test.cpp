#include "harness/supervise/proc.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "harness/base/clock.hpp"
#include "harness/supervise/child.hpp"

namespace harness {
namespace {

TEST(ProcStat, ReadsANameWithBracketsAndBlanks) {
  std::thread([] {
    pthread_setname_np(pthread_self(), "a) R 1 (b");
    const auto stat = proc_stat(getpid(), gettid());
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->comm, "a) R 1 (b");
    EXPECT_EQ(stat->state, 'R');
    EXPECT_EQ(proc_line(getpid(), gettid(), "comm"), "a) R 1 (b");
  }).join();
}

/// Runs `work` until the process has spent 0.2 s of CPU time, and returns how much of it was seen.
double seen_of_burnt(const auto& work) {
  const auto before = proc_stat(getpid());
  const uint64_t until = now_ns(CLOCK_PROCESS_CPUTIME_ID) + 200'000'000;
  while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < until) work();
  return proc_stat(getpid())->cpu_s - before->cpu_s;
}

TEST(ProcStat, CountsUserAndSystemTime) {
  EXPECT_GE(seen_of_burnt([] {
              for (int i = 0; i < 1'000'000; ++i) asm volatile("");
            }),
            0.1);
  EXPECT_GE(seen_of_burnt([] {
              for (int i = 0; i < 1000; ++i) getppid();
            }),
            0.1);
  const double all = proc_stat(getpid())->cpu_s;
  EXPECT_LE(all, static_cast<double>(now_ns(CLOCK_PROCESS_CPUTIME_ID)) / 1e9 + 0.1);
}

TEST(ProcThreads, ListsThem) {
  std::atomic<pid_t> tid{0};
  std::atomic<bool> done{false};
  std::thread other([&] {
    tid = gettid();
    while (!done) sleep_ns(1'000'000);
  });
  while (tid == 0) sleep_ns(1'000'000);
  const auto threads = proc_threads(getpid());
  EXPECT_EQ(std::count(threads.begin(), threads.end(), getpid()), 1);
  EXPECT_EQ(std::count(threads.begin(), threads.end(), tid.load()), 1);
  done = true;
  other.join();
}

TEST(Proc, SaysWhenAProcessIsStoppedOrGone) {
  pid_t pid = 0;
  {
    Child child([]() -> int {
      for (;;) pause();
    });
    pid = child.pid();
    EXPECT_FALSE(proc_stopped(pid));
    child.send(SIGSTOP);
    while (!proc_stopped(pid)) sleep_ns(1'000'000);
    child.send(SIGCONT);
    while (proc_stopped(pid)) sleep_ns(1'000'000);
  }
  EXPECT_FALSE(proc_stat(pid));
  EXPECT_FALSE(proc_stopped(pid));
  EXPECT_TRUE(proc_threads(pid).empty());
  EXPECT_EQ(proc_line(pid, pid, "wchan"), "?");
}

}  // namespace
}  // namespace harness
