#include "harness/threads/signal_injector.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "harness/base/errors.hpp"

namespace harness {

constinit std::array<std::atomic<uint64_t>, _NSIG> SignalInjector::strays_of_{};

namespace {

/// `signo`, if all makes sense.
int checked(uint64_t min_ns, uint64_t max_ns, int signo) {
  if (min_ns < SignalInjector::kClosest || min_ns > max_ns)
    throw UsageError(fmt::format("signals every {} to {} ns: give {} <= least <= most", min_ns, max_ns,
                                 SignalInjector::kClosest));
  if (signo < SIGRTMIN || signo > SIGRTMAX)
    throw UsageError(
        fmt::format("signal {} cannot be injected: choose one from {} to {}", signo, SIGRTMIN, SIGRTMAX));
  return signo;
}

}  // namespace

SignalInjector::SignalInjector(uint64_t min_ns, uint64_t max_ns, uint64_t seed, int signo)
    : min_ns_(min_ns),
      max_ns_(max_ns),
      seed_(seed),
      signo_(checked(min_ns, max_ns, signo)),
      // relaxed: a statistic.
      strays_before_(strays_of_[signo_].load(std::memory_order_relaxed)) {
  sigaction(signo_, nullptr, &before_);
  if (before_.sa_handler != SIG_DFL && before_.sa_handler != SIG_IGN)
    throw Broken(fmt::format("signal {} has a handler already: inject with another number", signo_));
  struct sigaction ours {};
  ours.sa_sigaction = &SignalInjector::on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  if (sigaction(signo_, &ours, nullptr) != 0)
    throw Broken(
        fmt::format("cannot handle signal {}: {}: inject with another number", signo_, std::strerror(errno)));
}

SignalInjector::~SignalInjector() {
  if (!targets_.empty()) {
    std::fputs("SignalInjector destroyed before its targets: let every SignalTarget go first\n", stderr);
    std::abort();
  }
  sigaction(signo_, &before_, nullptr);
}

uint64_t SignalInjector::delivered() const {
  std::lock_guard lock(mutex_);
  uint64_t sum = retired_;
  for (const SignalTarget* target : targets_) sum += target->delivered();
  return sum;
}

void SignalInjector::add(SignalTarget* target) {
  std::lock_guard lock(mutex_);
  targets_.push_back(target);
}

void SignalInjector::remove(SignalTarget* target) {
  std::lock_guard lock(mutex_);
  retired_ += target->delivered();
  targets_.erase(std::find(targets_.begin(), targets_.end(), target));
}

void SignalInjector::on_signal(int signo, siginfo_t*, void*) {
  const int interrupted_errno = errno;
  if (SignalTarget* target = SignalTarget::find(signo)) {
    target->fire();
  } else {
    // relaxed: a statistic.
    strays_of_[signo].fetch_add(1, std::memory_order_relaxed);
  }
  errno = interrupted_errno;
}

SignalHoldOff::SignalHoldOff(const SignalInjector& injector) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, injector.signo());
  pthread_sigmask(SIG_BLOCK, &set, &before_);
}

SignalHoldOff::~SignalHoldOff() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace harness
