#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/base/errors.hpp"
#include "harness/threads/signal_injector.hpp"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace harness {
namespace {

// initial-exec: a handler must not be the one that makes the thread-local storage.
constinit thread_local SignalTarget* first_target __attribute__((tls_model("initial-exec"))) = nullptr;

/// Keeps every signal away from the calling thread, so that its list and its timers can be changed.
class Quiet {
 public:
  Quiet() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~Quiet() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

/// Takes back what the deleted timer has already sent to this thread.
void discard_pending(int signo) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signo);
  const timespec at_once{};
  while (sigtimedwait(&set, nullptr, &at_once) == signo || errno == EINTR) {
  }
}

}  // namespace

SignalTarget::SignalTarget(SignalInjector& injector, uint64_t index, SignalHandler handler, void* argument)
    : injector_(injector), handler_(handler), argument_(argument), random_(injector.seed_, "signal", index) {
  if (find(injector.signo()))
    throw UsageError(
        fmt::format("this thread is a target of signal {} already: one is enough", injector.signo()));
  const Quiet quiet;
  make_timer();
  injector_.add(this);
  next_ = first_target;
  first_target = this;
  rearm();
}

SignalTarget::~SignalTarget() {
  const Quiet quiet;
  timer_delete(timer_);
  discard_pending(injector_.signo());
  unlink();
  injector_.remove(this);
}

SignalTarget* SignalTarget::find(int signo) {
  SignalTarget* target = first_target;
  while (target && target->injector_.signo() != signo) target = target->next_;
  return target;
}

void SignalTarget::unlink() {
  SignalTarget** link = &first_target;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
}

void SignalTarget::make_timer() {
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = injector_.signo();
  event.sigev_notify_thread_id = gettid();
  if (timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0) return;
  throw Broken(
      fmt::format("no timer for signal injection: {}: raise the limit on pending signals (ulimit -i)",
                  std::strerror(errno)));
}

void SignalTarget::rearm() {
  const uint64_t ns = injector_.min_ns_ + random_.below(injector_.max_ns_ - injector_.min_ns_ + 1);
  itimerspec once{};
  once.it_value.tv_sec = static_cast<time_t>(ns / 1'000'000'000ULL);
  once.it_value.tv_nsec = static_cast<long>(ns % 1'000'000'000ULL);
  if (timer_settime(timer_, 0, &once, nullptr) == 0) return;
  // Silently disarmed, the run would lose its injector; in signal context nothing else can be said.
  constexpr char kWords[] = "signal injector: timer_settime refused\n";
  if (write(STDERR_FILENO, kWords, sizeof kWords - 1) < 0) std::abort();
  std::abort();
}

void SignalTarget::fire() {
  handler_(argument_);
  // relaxed: a statistic; in this thread only the handler writes it, and the signal is blocked while it runs.
  delivered_.store(delivered_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  rearm();
}

}  // namespace harness
