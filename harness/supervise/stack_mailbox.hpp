#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

namespace harness {

/// Lets one process ask the threads of its forked child where they are, without a debugger: a signal makes
/// each thread write its return addresses into memory that both share. Made by the parent before the fork.
class StackMailbox {
 public:
  /// Return addresses of each thread that answered.
  using Answers = std::map<pid_t, std::vector<uintptr_t>>;

  static constexpr unsigned kFrames = 48;  ///< Innermost frames kept for each thread.

  /// `threads`: how many can answer at one time. Broken if the memory is refused.
  explicit StackMailbox(unsigned threads = 256);
  ~StackMailbox();

  StackMailbox(const StackMailbox&) = delete;
  StackMailbox& operator=(const StackMailbox&) = delete;

  /// In the child: answers from now on. The last mailbox that was told to answer does. Broken if the handler
  /// is refused.
  void answer();

  /// In the parent: asks every thread of `pid` and waits up to `timeout_s` for the answers. Threads that do
  /// not answer (signal blocked, uninterruptible, stopped, more threads than slots) are missing. Innermost
  /// address first, the asking signal's own frames left out. One caller at a time.
  Answers ask(pid_t pid, double timeout_s);

  /// The signal that asks.
  static int signo();

 private:
  struct Slot;
  struct Shared;
  static void on_signal(int signo, siginfo_t* info, void* context);
  void write_here(void* interrupted);
  Slot* slot_for(pid_t tid);
  void forget_ended(const std::vector<pid_t>& threads);
  bool collect(Answers& answers);

  unsigned count_;
  void* memory_;
  Shared* shared_;
  Slot* slots_;
};

}  // namespace harness
