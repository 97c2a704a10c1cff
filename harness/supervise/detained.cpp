#include "harness/supervise/detained.hpp"

#include <fmt/format.h>

#include "harness/base/clock.hpp"
#include "harness/supervise/proc.hpp"

namespace harness {
namespace {

bool uninterruptible(pid_t pid, pid_t tid) {
  const auto stat = proc_stat(pid, tid);
  return stat && stat->state == 'D';
}

/// "0" stands for a thread that waits nowhere, "?" for a file that cannot be read.
std::string function_in(const std::string& wchan) { return wchan == "0" || wchan == "?" ? "" : wchan; }

/// "12 0x0 ..."; "running" and "-1 ..." stand for none.
std::string number_in(const std::string& syscall) {
  return syscall.substr(0, syscall.find_first_not_of("0123456789"));
}

}  // namespace

std::string Detained::words() const {
  return fmt::format("in {}{}", where.empty() ? "an uninterruptible sleep" : where,
                     call.empty() ? "" : fmt::format(" (system call {})", call));
}

std::optional<Detained> detained(pid_t pid, pid_t tid, unsigned looks, uint64_t gap_ns) {
  Detained found;
  for (unsigned look = 0; look < looks; ++look) {
    if (look > 0) sleep_ns(gap_ns);
    if (!uninterruptible(pid, tid)) return {};
    found = {function_in(proc_line(pid, tid, "wchan")), number_in(proc_line(pid, tid, "syscall"))};
  }
  return found;
}

}  // namespace harness
