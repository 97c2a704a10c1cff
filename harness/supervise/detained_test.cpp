#include "harness/supervise/detained.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "harness/base/clock.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/proc.hpp"

namespace harness {
namespace {

constexpr uint64_t kMs = 1'000'000;

int sleep_for(void* ns) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sleep_ns(*static_cast<uint64_t*>(ns));
  _exit(0);
}

/// Whoever forks in this way is in an uninterruptible sleep until the new process ends.
void be_detained_for(uint64_t ns) {
  alignas(16) static std::array<char, 65536> stack;
  clone(sleep_for, stack.data() + stack.size(), CLONE_VFORK | SIGCHLD, &ns);
}

void wait_for_state(const Child& child, char state) {
  for (int tries = 0; tries < 6000; ++tries) {
    if (const auto stat = proc_stat(child.pid()); stat && stat->state == state) return;
    sleep_ns(10 * kMs);
  }
  FAIL() << "no state " << state;
}

TEST(Detained, NamesWhereTheKernelKeepsAThread) {
  Child child([] {
    be_detained_for(600'000 * kMs);
    return 0;
  });
  wait_for_state(child, 'D');
  const auto found = detained(child.pid(), child.pid(), 4, 20 * kMs);
  ASSERT_TRUE(found);
  const bool told = proc_line(child.pid(), child.pid(), "syscall") != "?";
  EXPECT_EQ(found->call, told ? std::to_string(SYS_clone) : "");
  EXPECT_EQ(found->where.find_first_of("?0 "), std::string::npos) << found->where;
}

TEST(Detained, AThreadThatGetsOutMeanwhileIsNot) {
  Child child([] {
    be_detained_for(300 * kMs);
    for (;;) pause();
    return 0;
  });
  wait_for_state(child, 'D');
  EXPECT_FALSE(detained(child.pid(), child.pid(), 2, 3000 * kMs));
}

TEST(Detained, AThreadThatSleepsOrRunsOrIsGoneIsNot) {
  Child sleeper([] {
    for (;;) pause();
    return 0;
  });
  wait_for_state(sleeper, 'S');
  EXPECT_FALSE(detained(sleeper.pid(), sleeper.pid(), 2, kMs));
  EXPECT_FALSE(detained(getpid(), gettid(), 2, kMs));
  const pid_t pid = sleeper.pid();
  sleeper.kill();
  EXPECT_FALSE(detained(pid, pid, 2, kMs));
}

TEST(Detained, Words) {
  EXPECT_EQ((Detained{"folio_wait_bit", "12"}).words(), "in folio_wait_bit (system call 12)");
  EXPECT_EQ((Detained{"folio_wait_bit", ""}).words(), "in folio_wait_bit");
  EXPECT_EQ((Detained{"", ""}).words(), "in an uninterruptible sleep");
}

}  // namespace
}  // namespace harness
