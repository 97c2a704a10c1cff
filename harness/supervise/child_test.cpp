#include "harness/supervise/child.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <thread>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/supervise/shared_pages.hpp"

namespace harness {
namespace {

constexpr double kLong = 60;

int for_ever() {
  for (;;) pause();
}

Ended end_of(const std::function<int()>& body) {
  Child child(body);
  const auto ended = child.wait(kLong);
  if (!ended) throw std::runtime_error("the child did not end");
  return *ended;
}

TEST(Child, TellsItsExitStatus) {
  for (const int status : {0, 3, 200}) {
    const Ended ended = end_of([status] { return status; });
    EXPECT_EQ(ended.exit_code, status);
    EXPECT_EQ(ended.signal, 0);
    EXPECT_FALSE(ended.foreign);
    EXPECT_EQ(ended.words(), "exited with " + std::to_string(status));
  }
}

TEST(Child, ErrorsBecomeTheirExitStatus) {
  EXPECT_EQ(end_of([]() -> int { throw UsageError("what a usage"); }).exit_code, 2);
  EXPECT_EQ(end_of([]() -> int { throw Broken("what a break"); }).exit_code, 3);
  EXPECT_EQ(end_of([]() -> int { throw std::logic_error("what a mess"); }).signal, SIGABRT);
}

TEST(Child, AbortIsItsOwnDoing) {
  const Ended ended = end_of([]() -> int { std::abort(); });
  EXPECT_FALSE(ended.exit_code);
  EXPECT_EQ(ended.signal, SIGABRT);
  EXPECT_FALSE(ended.foreign);
  EXPECT_FALSE(ended.oom);
}

TEST(Child, KillFromOutsideIsForeign) {
  Child child(for_ever);
  ::kill(child.pid(), SIGKILL);
  const auto ended = child.wait(kLong);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->signal, SIGKILL);
  EXPECT_TRUE(ended->foreign);
  EXPECT_FALSE(ended->oom);
  EXPECT_EQ(ended->words(), "ended by SIGKILL from outside");
}

TEST(Child, OurOwnKillIsNot) {
  Child child(for_ever);
  const Ended ended = child.kill();
  EXPECT_EQ(ended.signal, SIGKILL);
  EXPECT_FALSE(ended.foreign);
  EXPECT_FALSE(child.send(SIGKILL)) << "it is gone";
}

TEST(Child, WaitGivesUpAndCanBeRepeated) {
  Child child(for_ever);
  EXPECT_FALSE(child.wait(0));
  EXPECT_FALSE(child.wait(0.01));
  EXPECT_TRUE(child.send(SIGUSR1));
  const auto ended = child.wait(kLong);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->signal, SIGUSR1);
  EXPECT_FALSE(ended->foreign);
  EXPECT_EQ(child.wait(0)->signal, SIGUSR1);
  EXPECT_EQ(child.kill().signal, SIGUSR1);
}

TEST(Child, DescriptorBecomesReadableAtTheEnd) {
  Child child(for_ever);
  pollfd end{child.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&end, 1, 0), 0);
  ::kill(child.pid(), SIGKILL);
  EXPECT_EQ(poll(&end, 1, 60'000), 1);
}

TEST(Child, StopSignalsOfTheTerminalDoNotEndIt) {
  Child child(for_ever);
  ::kill(child.pid(), SIGINT);
  ::kill(child.pid(), SIGTERM);
  EXPECT_FALSE(child.wait(0.2));
  sigset_t mine;
  sigprocmask(SIG_BLOCK, nullptr, &mine);
  EXPECT_FALSE(sigismember(&mine, SIGINT) || sigismember(&mine, SIGTERM))
      << "the parent must still hear them";
}

TEST(Child, DestructorLeavesNothingBehind) {
  pid_t pid = 0;
  {
    Child child(for_ever);
    pid = child.pid();
  }
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), -1);
  EXPECT_FALSE(proc_stat(pid));
}

TEST(Child, EndsWithAKilledParent) {
  // The orphan comes to us instead of init, so that its end can be awaited.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  auto* orphan = new (map_shared(sizeof(std::atomic<pid_t>), "a test")) std::atomic<pid_t>{0};
  const Ended parent = end_of([orphan] {
    Child grandchild([orphan] {
      orphan->store(getpid());
      return for_ever();
    });
    while (orphan->load() == 0) sleep_ns(1'000'000);
    return raise(SIGKILL);
  });
  EXPECT_EQ(parent.signal, SIGKILL);
  const pid_t pid = orphan->load();
  ASSERT_GT(pid, 0);
  int status = 0;
  pid_t reaped = 0;
  for (int tries = 0; tries < 6000 && reaped == 0; ++tries) {
    reaped = waitpid(pid, &status, WNOHANG);
    sleep_ns(10'000'000);
  }
  if (reaped == 0) ::kill(pid, SIGKILL);
  ASSERT_EQ(reaped, pid) << "it outlived its parent";
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  unmap_shared(orphan, sizeof(std::atomic<pid_t>));
}

TEST(Child, IsNotForkedBesideRunningThreads) {
  std::atomic<bool> done{false};
  std::thread other([&done] {
    while (!done) sleep_ns(1'000'000);
  });
  EXPECT_THROW(Child child(for_ever), Broken);
  done = true;
  other.join();
}

TEST(Ended, Words) {
  EXPECT_EQ((Ended{{}, SIGSEGV, true, false, false}.words()), "ended by SIGSEGV, core written");
  EXPECT_EQ((Ended{{}, SIGKILL, false, true, true}.words()), "ended by SIGKILL from outside (out of memory)");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
}

}  // namespace
}  // namespace harness
