#pragma once

#include <signal.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "harness/base/random.hpp"

namespace harness {

/// What runs in the target thread, in signal context: async-signal-safe code only. errno is kept for it.
using SignalHandler = void (*)(void* argument);

class SignalTarget;

/// Interrupts chosen threads at random instants with a real signal, whose handler other signals may
/// interrupt. Owns one real-time signal number of the process while it lives; several injectors with
/// different numbers may serve the same thread.
class SignalInjector {
 public:
  /// Nanoseconds. Closer firings would leave the thread no time of its own: each costs a few microseconds.
  static constexpr uint64_t kClosest = 10'000;

  /// Each pause between two firings is uniform in [min_ns, max_ns], drawn from (seed, "signal", index of the
  /// target). UsageError unless kClosest <= min_ns <= max_ns and `signo` is a real-time signal; Broken if
  /// somebody else handles it.
  SignalInjector(uint64_t min_ns, uint64_t max_ns, uint64_t seed, int signo = default_signal());

  /// Gives the signal back. Every target must be gone; aborts with a line on stderr if one is not.
  ~SignalInjector();

  SignalInjector(const SignalInjector&) = delete;
  SignalInjector& operator=(const SignalInjector&) = delete;

  /// Far from the ones libraries like to take.
  static int default_signal() { return SIGRTMIN + 5; }

  int signo() const { return signo_; }

  /// Handlers run so far, over all targets that are or were.
  uint64_t delivered() const;

  /// Signals of this number that reached a thread without a target since this injector was made: sent by
  /// somebody else. relaxed: a statistic.
  uint64_t strays() const { return strays_of_[signo_].load(std::memory_order_relaxed) - strays_before_; }

 private:
  friend class SignalTarget;
  static void on_signal(int signo, siginfo_t* info, void* context);
  void add(SignalTarget* target);
  void remove(SignalTarget* target);

  const uint64_t min_ns_, max_ns_, seed_;
  const int signo_;
  struct sigaction before_ {};
  mutable std::mutex mutex_;  ///< Guards targets_ and retired_; never taken in signal context.
  std::vector<SignalTarget*> targets_;
  uint64_t retired_ = 0;
  const uint64_t strays_before_;
  /// By signal number; it outlives every injector, since a stray may come at any time.
  static std::array<std::atomic<uint64_t>, _NSIG> strays_of_;
};

/// While it lives, the thread that made it is interrupted. Made and destroyed by that thread, on its stack or
/// in its thread-local storage; after the destructor the handler does not run again, not even from a signal
/// already sent.
class SignalTarget {
 public:
  /// `index` chooses the random stream. Broken if the kernel gives no timer (limits), UsageError if this
  /// thread has a target of this injector already.
  SignalTarget(SignalInjector& injector, uint64_t index, SignalHandler handler, void* argument);
  ~SignalTarget();

  SignalTarget(const SignalTarget&) = delete;
  SignalTarget& operator=(const SignalTarget&) = delete;

  /// Handlers run so far in this thread; any thread may ask.
  /// relaxed: a statistic; its one writer is the handler.
  uint64_t delivered() const { return delivered_.load(std::memory_order_relaxed); }

 private:
  friend class SignalInjector;
  static SignalTarget* find(int signo);
  void make_timer();
  void unlink();
  void rearm();
  void fire();

  SignalInjector& injector_;
  const SignalHandler handler_;
  void* const argument_;
  Random random_;
  timer_t timer_{};
  SignalTarget* next_ = nullptr;  ///< The thread's other targets; changed with all signals blocked.
  std::atomic<uint64_t> delivered_{0};
};

/// Holds the injector's signal off in the calling thread while it lives, as an interrupt is held off; a
/// firing that falls into it is delivered afterwards, once. Nests. Two system calls each.
class SignalHoldOff {
 public:
  explicit SignalHoldOff(const SignalInjector& injector);
  ~SignalHoldOff();
  SignalHoldOff(const SignalHoldOff&) = delete;
  SignalHoldOff& operator=(const SignalHoldOff&) = delete;

 private:
  sigset_t before_;
};

}  // namespace harness
