#include "srcu/tests/support.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include "srcu/platform/atomic.hpp"

#ifdef SRCU_TSAN
// Children of processes with several threads start threads here, which ThreadSanitizer refuses unless told.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }
#endif

namespace srcu::test {

int in_child(const std::function<int()>& body) {
  fflush(nullptr);
  srcu_before_fork();
  const pid_t child = fork();
  if (child == 0) {
    srcu_after_fork_child();
    alarm(20);
    _exit(body());
  }
  srcu_after_fork_parent();
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int use(srcu_struct* ssp) {
  CHILD_CHECK(srcu_open_sections(ssp) == 0);
  synchronize_srcu(ssp);
  synchronize_srcu_expedited(ssp);
  Counted counted;
  counted.post(ssp);
  srcu_barrier(ssp);
  CHILD_CHECK(counted.times() == 1);
  const unsigned long cookie = start_poll_synchronize_srcu(ssp);
  CHILD_CHECK(eventually([&] { return poll_state_synchronize_srcu(ssp, cookie); }));
  cleanup_srcu_struct(ssp);
  CHILD_CHECK(ssp->srcu_sup == nullptr);
  return 0;
}

}  // namespace srcu::test
