// A kernel, or a sandbox, that has no membarrier(): fast readers take their fence themselves.
#include <gtest/gtest.h>
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <thread>

#include "srcu/platform/env.hpp"
#include "srcu/platform/membarrier.hpp"
#include "srcu/tests/refuse.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;

/// From now on the kernel answers EPERM, in all threads to come.
void forbid_membarrier() { test::refuse(SYS_membarrier, EPERM); }

void fast_readers_fence() {
  forbid_membarrier();
  CHILD_CHECK(!membarrier_works());
  DEFINE_STATIC_SRCU_FAST(ssp);
  std::jthread([] {
    srcu_ctr* const ctr = srcu_read_lock_fast(&ssp);
    CHILD_CHECK(ssp.srcu_current == nullptr);  // they all go the slow way, where the fence is
    const unsigned long cookie = start_poll_synchronize_srcu(&ssp);
    CHILD_CHECK(test::eventually([&] { return test::state_of(usage_of(&ssp)) == GpState::kScan2; }));
    CHILD_CHECK(ssp.srcu_current == nullptr);  // after a flip, too
    CHILD_CHECK(!poll_state_synchronize_srcu(&ssp, cookie));
    srcu_read_unlock_fast(&ssp, ctr);
    CHILD_CHECK(test::eventually([&] { return poll_state_synchronize_srcu(&ssp, cookie); }));
  }).join();
  Counted counted;
  counted.post(&ssp);
  srcu_barrier(&ssp);
  CHILD_CHECK(counted.times() == 1);
  synchronize_srcu(&ssp);
  cleanup_srcu_struct(&ssp);
  CHILD_CHECK(ssp.srcu_sup == nullptr);
  _exit(0);
}

class NoMembarrierDeathTest : public testing::Test {
 protected:
  NoMembarrierDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }  // a process that has not asked yet
};

TEST_F(NoMembarrierDeathTest, FastReadersFence) {
  EXPECT_EXIT(fast_readers_fence(), testing::ExitedWithCode(0), "");
}

void forbidden_between_forks() {
  if (!membarrier_works()) _exit(77);
  test::Domain fast(init_srcu_struct_fast);
  srcu_before_fork();
  forbid_membarrier();
  srcu_after_fork_child();  // as a child would, that cannot register
  _exit(0);
}

TEST_F(NoMembarrierDeathTest, AChildThatIsRefusedItSaysSo) {
  EXPECT_DEATH(forbidden_between_forks(), "srcu: the kernel refuses membarrier\\(\\) in this forked child");
}

// A sandbox that closes later than the first use: what readers without fences rely on is gone.
void forbidden_too_late() {
  if (!membarrier_works()) _exit(77);
  test::Domain fast(init_srcu_struct_fast);
  forbid_membarrier();
  synchronize_srcu(fast);
  _exit(0);
}

TEST_F(NoMembarrierDeathTest, ALateRefusalIsNoBarrierAndSaysSo) {
  EXPECT_DEATH(forbidden_too_late(),
               "srcu: the kernel refuses membarrier\\(\\), which it had let this process register for \\(Operation not permitted\\), "
               "and fast readers have no fences without it: let it through the seccomp filter, or install that before");
}

#if defined(__x86_64__) || defined(__aarch64__)
// The kernel is out of memory three times, then not any more.
volatile sig_atomic_t asked = 0;
void out_of_memory_at_first(int, siginfo_t*, void* interrupted) {
  asked = asked + 1;
  const long long result = asked <= 3 ? -ENOMEM : 0;
  auto& registers = static_cast<ucontext_t*>(interrupted)->uc_mcontext;
#if defined(__x86_64__)
  registers.gregs[REG_RAX] = result;
#else
  registers.regs[0] = static_cast<unsigned long long>(result);
#endif
}

void short_of_memory() {
  alarm(20);
  if (!membarrier_works()) _exit(77);
  struct sigaction action = {};
  action.sa_sigaction = out_of_memory_at_first;
  action.sa_flags = SA_SIGINFO;
  CHILD_CHECK(sigaction(SIGSYS, &action, nullptr) == 0);
  test::answer(SYS_membarrier, SECCOMP_RET_TRAP);
  errno = EDOM;
  env::membarrier();
  CHILD_CHECK(asked == 4);
  CHILD_CHECK(errno == EDOM);
  _exit(0);
}

TEST_F(NoMembarrierDeathTest, IsAskedForAgainWhereTheKernelIsShortOfMemory) {
  EXPECT_EXIT(short_of_memory(), testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace srcu
