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

}  // namespace srcu::test
