#include <fmt/format.h>
#include <signal.h>

#include <cstring>

#include "harness/supervise/child.hpp"

namespace harness {

std::string signal_name(int signo) {
  if (const char* name = sigabbrev_np(signo)) return fmt::format("SIG{}", name);
  if (signo >= SIGRTMIN && signo <= SIGRTMAX) return fmt::format("SIGRTMIN+{}", signo - SIGRTMIN);
  return fmt::format("signal {}", signo);
}

std::string Ended::words() const {
  if (exit_code) return fmt::format("exited with {}", *exit_code);
  return fmt::format("ended by {}{}{}{}", signal_name(signal), foreign ? " from outside" : "",
                     oom ? " (out of memory)" : "", core ? ", core written" : "");
}

}  // namespace harness
