#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace harness {

class StackMailbox;

/// How a child came to its end: either it exited, or a signal ended it.
struct Ended {
  std::optional<int> exit_code;  ///< Set if it exited.
  int signal = 0;                ///< Set if a signal ended it.
  bool core = false;             ///< A core was written.
  bool foreign = false;  ///< The signal was neither sent by us nor is it one by which a program ends itself.
  bool oom = false;      ///< SIGKILL, and the kernel counted an out-of-memory kill meanwhile.

  /// One line for logs: "exited with 3", "ended by SIGKILL from outside (out of memory)".
  std::string words() const;
};

/// "SIGKILL", "SIGRTMIN+3": a signal's name as shells write it.
std::string signal_name(int signo);

/// A forked process that runs one function and is never left behind: it ends with its maker, also if that is
/// killed. The thread that makes it must stay until it has ended, since the kernel ties the child's life to
/// that thread.
class Child {
 public:
  /// Forks. The child runs `body` and ends with its result as exit status; UsageError out of it gives 2,
  /// Broken 3, each with its line on stderr; any other exception aborts. Destructors and atexit handlers of
  /// the parent do not run in it. SIGINT, SIGTERM and SIGHUP are blocked in it: a terminal sends them to both, and
  /// the parent alone decides. `stacks`, if given, starts to answer in the child before `body` runs;
  /// debuggers are let in. Broken if there is more than one thread (locks held by others would stay locked)
  /// or the fork is refused.
  explicit Child(const std::function<int()>& body, StackMailbox* stacks = nullptr);

  /// Kills and reaps it if it is still there.
  ~Child();

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  /// Readable (poll) once the child has ended.
  int fd() const { return fd_; }

  /// How it ended, or nothing if it still runs after `timeout_s` (0: asks only). May be called again
  /// afterwards.
  std::optional<Ended> wait(double timeout_s);

  /// Sends a signal, which then does not count as foreign. False if the child is gone.
  bool send(int signo);

  /// SIGKILL, then waits for the end. If it had ended before, tells how.
  Ended kill();

 private:
  void reap();

  pid_t pid_ = -1;
  int fd_ = -1;
  uint64_t sent_ = 0;  ///< Bit n: we sent signal n.
  uint64_t oom_kills_before_ = 0;
  std::optional<Ended> ended_;
};

}  // namespace harness
