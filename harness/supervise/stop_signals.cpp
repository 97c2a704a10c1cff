#include "harness/supervise/stop_signals.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"

namespace harness {
namespace {

// One in a process, as the handlers are. -1: there is none.
constinit std::atomic<int> wake_fd{-1};
constinit std::atomic<int> noted_signal{0};
// The span is written before a handler is installed, the time by the first signal; see is_meant().
constinit std::atomic<uint64_t> same_stop_ns{0}, noted_ns{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<uint64_t>::is_always_lock_free,
              "used in a signal handler");

/// The default action comes when the handler returns and the signal is let through again.
void end_by(int signo) {
  signal(signo, SIG_DFL);
  raise(signo);
}

/// Not an echo of the stop that is noted.
bool is_meant() {
  // relaxed: a signal that comes while another thread notes the first one finds 0 there, and is an echo.
  const uint64_t first = noted_ns.load(std::memory_order_relaxed);
  // relaxed: set before the handler was installed
  return first != 0 && now_ns() - first > same_stop_ns.load(std::memory_order_relaxed);
}

void on_stop(int signo) {
  const int interrupted_errno = errno;
  int none = 0;
  // relaxed: the number is all that is passed on; the event descriptor is the wake-up.
  if (!noted_signal.compare_exchange_strong(none, signo, std::memory_order_relaxed)) {
    if (is_meant()) end_by(signo);
    return;
  }
  noted_ns.store(now_ns(), std::memory_order_relaxed);  // relaxed: see is_meant()
  const uint64_t one = 1;
  // relaxed: set before the handler was installed, and sigaction() is a system call.
  // A full counter is readable as well, so a refused write loses nothing.
  [[maybe_unused]] const ssize_t told = write(wake_fd.load(std::memory_order_relaxed), &one, sizeof one);
  errno = interrupted_errno;
}

void install(int signo, struct sigaction* before) {
  if (signo == SIGHUP && sigaction(signo, nullptr, before) == 0 && before->sa_handler == SIG_IGN) return;
  struct sigaction ours {};
  ours.sa_handler = on_stop;
  ours.sa_mask = stop_signals();  // they must not interrupt each other half way
  if (sigaction(signo, &ours, before) != 0)
    throw Broken(fmt::format("cannot handle signal {}: {}: allow rt_sigaction in this sandbox", signo,
                             std::strerror(errno)));
}

}  // namespace

sigset_t stop_signals() {
  sigset_t stops;
  sigemptyset(&stops);
  for (const int signo : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&stops, signo);
  return stops;
}

StopSignals::StopSignals(double same_stop_s) : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0)
    throw Broken(fmt::format("no descriptor for stop signals: {}: raise the limit on open files",
                             std::strerror(errno)));
  int none = -1;
  // relaxed: see on_stop.
  if (!wake_fd.compare_exchange_strong(none, fd_, std::memory_order_relaxed)) {
    close(fd_);
    throw UsageError("stop signals are noted already: make only one StopSignals");
  }
  // relaxed: no handler is installed yet.
  noted_signal.store(0, std::memory_order_relaxed);
  noted_ns.store(0, std::memory_order_relaxed);  // relaxed: likewise, both
  same_stop_ns.store(static_cast<uint64_t>(same_stop_s * 1e9), std::memory_order_relaxed);
  for (auto& [signo, before] : handled_) install(signo, &before);
}

StopSignals::~StopSignals() {
  for (const auto& [signo, before] : handled_) sigaction(signo, &before, nullptr);
  // relaxed: no handler of ours is left.
  wake_fd.store(-1, std::memory_order_relaxed);
  close(fd_);
}

int StopSignals::noted() const {
  // relaxed: see on_stop.
  return noted_signal.load(std::memory_order_relaxed);
}

bool StopSignals::wait(double seconds) const {
  const uint64_t deadline = now_ns() + static_cast<uint64_t>(std::min(seconds, 3e9) * 1e9);
  for (uint64_t now = now_ns(); noted() == 0 && now < deadline; now = now_ns()) {
    pollfd wake{fd_, POLLIN, 0};
    poll(&wake, 1, static_cast<int>(std::min<uint64_t>((deadline - now) / 1'000'000 + 1, 1'000'000)));
  }
  return noted() != 0;
}

}  // namespace harness
