#include "harness/supervise/child.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/base/say.hpp"
#include "harness/supervise/oom.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/supervise/stack_mailbox.hpp"
#include "harness/supervise/stop_signals.hpp"

namespace harness {
namespace {

constexpr int kUsageStatus = 2, kBrokenStatus = 3;

/// ThreadSanitizer keeps a thread of its own, which holds no lock of ours.
#ifdef SRCUTORTURE_TSAN
constexpr size_t kThreadsAtFork = 2;
#else
constexpr size_t kThreadsAtFork = 1;
#endif

void refuse_threads() {
  const size_t threads = proc_threads(getpid()).size();
  if (threads > kThreadsAtFork)
    throw Broken(fmt::format(
        "cannot fork the tortured process while {} threads run: fork before starting threads", threads));
}

/// Blocks what stops a run across the fork, so that the child never has it let through; the parent gets
/// its mask back.
class StopsHeld {
 public:
  StopsHeld() {
    const sigset_t stops = stop_signals();
    pthread_sigmask(SIG_BLOCK, &stops, &before_);
  }
  ~StopsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

int said(const char* words, int status) {
  harness::say(stderr, "{}\n", words);
  return status;
}

int status_of(const std::function<int()>& body) {
  try {
    return body();
  } catch (const UsageError& error) {
    return said(error.what(), kUsageStatus);
  } catch (const Broken& error) {
    return said(error.what(), kBrokenStatus);
  } catch (const std::exception& error) {
    said(error.what(), 0);
    // The parent sees a crash.
    std::abort();
  }
}

[[noreturn]] void live(const std::function<int()>& body, StackMailbox* stacks, pid_t parent) noexcept {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the line above: then nobody would ever end this process.
  if (getppid() != parent) _exit(kBrokenStatus);
  // Refused where the kernel knows no such restriction, and then there is nothing to allow.
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  const int status = status_of([&] {
    if (stacks) stacks->answer();
    return body();
  });
  std::fflush(nullptr);
  _exit(status);
}

/// By these a program ends itself, or its own doing ends it.
bool own_end(int signo) {
  constexpr int kOwn[] = {SIGABRT, SIGBUS,  SIGFPE,    SIGILL,  SIGSEGV, SIGSYS,
                          SIGTRAP, SIGPIPE, SIGVTALRM, SIGALRM, SIGPROF, SIGXFSZ};
  return std::find(std::begin(kOwn), std::end(kOwn), signo) != std::end(kOwn);
}

uint64_t bit(int signo) { return 1ULL << (signo - 1); }

}  // namespace

Child::Child(const std::function<int()>& body, StackMailbox* stacks) : oom_kills_before_(oom_kills()) {
  refuse_threads();
  // Or both processes would write what is buffered.
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const StopsHeld held;
  pid_ = fork();
  if (pid_ < 0)
    throw Broken(fmt::format("cannot fork the tortured process: {}: raise the limits on processes and memory",
                             std::strerror(errno)));
  if (pid_ == 0) live(body, stacks, parent);
  // By number: glibc 2.36 declares its wrappers without C linkage.
  fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (fd_ >= 0) return;
  const int error = errno;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  throw Broken(fmt::format(
      "cannot watch the tortured process: pidfd_open: {}: it needs Linux 5.3 and a free descriptor",
      std::strerror(error)));
}

Child::~Child() {
  kill();
  close(fd_);
}

std::optional<Ended> Child::wait(double timeout_s) {
  const uint64_t deadline = now_ns() + static_cast<uint64_t>(std::min(timeout_s, 3e9) * 1e9);
  while (!ended_) {
    const uint64_t now = now_ns();
    const uint64_t left_ms = now < deadline ? (deadline - now) / 1'000'000 + 1 : 0;
    pollfd end{fd_, POLLIN, 0};
    if (poll(&end, 1, static_cast<int>(std::min<uint64_t>(left_ms, 1'000'000))) > 0)
      reap();
    else if (left_ms == 0)
      return {};
  }
  return ended_;
}

void Child::reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0)
    if (errno != EINTR)
      throw Broken(fmt::format("lost the tortured process: waitpid: {}", std::strerror(errno)));
  Ended ended;
  if (WIFEXITED(status)) {
    ended.exit_code = WEXITSTATUS(status);
  } else {
    ended.signal = WTERMSIG(status);
    ended.core = WCOREDUMP(status);
    ended.foreign = !own_end(ended.signal) && !(sent_ & bit(ended.signal));
    ended.oom = ended.foreign && ended.signal == SIGKILL && oom_kills() != oom_kills_before_;
  }
  ended_ = ended;
}

bool Child::send(int signo) {
  if (ended_ || syscall(SYS_pidfd_send_signal, fd_, signo, nullptr, 0) != 0) return false;
  sent_ |= bit(signo);
  return true;
}

Ended Child::kill() {
  send(SIGKILL);
  // A process in an uninterruptible sleep ends when that does.
  while (!ended_) wait(1);
  return *ended_;
}

}  // namespace harness
