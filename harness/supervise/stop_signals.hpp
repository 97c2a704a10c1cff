#pragma once

#include <signal.h>

#include <array>

namespace harness {

/// SIGINT, SIGTERM, SIGHUP.
sigset_t stop_signals();

/// While it lives, the first SIGINT, SIGTERM or SIGHUP is only noted, so that the run can write what there is.
/// Further ones in the moments after it are the same stop, which timeout(1) sends to the program and to its
/// group, and a shell's helpers too; one that comes later is meant, and ends the process at once,
/// by that signal. A SIGHUP that is ignored stays ignored: that is nohup(1). One at a time in a process.
class StopSignals {
 public:
  /// `same_stop_s`: how long further signals count as the first one. Broken if the kernel refuses, UsageError
  /// if there is one already.
  explicit StopSignals(double same_stop_s = 3);
  /// Restores the handlers that were there before.
  ~StopSignals();

  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that was noted, 0 if none. Exit with 128 + this when all is written.
  int noted() const;

  /// Readable (poll) from the moment a signal was noted. Not to be read from.
  int fd() const { return fd_; }

  /// Sleeps up to `seconds`, or until a signal is or was noted; then true.
  bool wait(double seconds) const;

 private:
  int fd_;
  struct Handled {
    int signo;
    struct sigaction before {};
  };
  std::array<Handled, 3> handled_{{{SIGINT}, {SIGTERM}, {SIGHUP}}};
};

}  // namespace harness
