// A kernel, or a sandbox, that has no membarrier(): fast readers take their fence themselves.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "srcu/platform/membarrier.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;

/// From now on the kernel answers EPERM, in all threads to come.
void forbid_membarrier() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  CHILD_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHILD_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

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

}  // namespace
}  // namespace srcu
