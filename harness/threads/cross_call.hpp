// Runs a function on another thread, by a signal, as a kernel does on another CPU by an interrupt.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <atomic>

namespace harness {

/// One function that another thread of this process shall run in signal context, wherever it is, so that it
/// may tell what that thread keeps to itself. Sent and asked about by one thread; the threads it was sent to
/// must have ended, or have run it, before it goes.
class CrossCall {
 public:
  /// Async-signal-safe code only; errno is kept for it.
  using Function = void (*)(void* argument);

  /// The first one installs the handler, which stays, since a thread may be late. Broken if somebody else
  /// handles the signal.
  CrossCall(Function function, void* argument);
  CrossCall(const CrossCall&) = delete;
  CrossCall& operator=(const CrossCall&) = delete;

  /// Asks `tid` to run the function once more. False if that thread still owes an earlier run (which will
  /// do), is gone, or if the kernel takes no more signals.
  bool send(pid_t tid);

  /// True from a send() until the function has run; what it wrote is then there, and stays until the next
  /// send(). A thread that ends may owe its run for ever. acquire: pairs with the release in on_signal().
  bool owed() const { return owed_.load(std::memory_order_acquire); }

  /// Far from the ones libraries like to take; the injector's neighbour.
  static int signo() { return SIGRTMIN + 6; }

 private:
  static void on_signal(int signo, siginfo_t* info, void* context);

  const Function function_;
  void* const argument_;
  pid_t sent_to_ = 0;
  std::atomic<bool> owed_{false};
};

}  // namespace harness
