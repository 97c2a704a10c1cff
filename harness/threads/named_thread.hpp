#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace harness {

/// `name` as the kernel takes it: at most 15 bytes. A longer one loses letters before its "/index", never the
/// index, so "rcu_torture_reader/12" becomes "rcu_torture_/12".
std::string short_thread_name(std::string_view name);

/// A thread with a name and, if asked for, a CPU of its own. Movable; joined when destroyed.
class NamedThread {
 public:
  /// Starts the thread and waits until it is named and, with `pu`, bound and verified; only then `fn` runs.
  /// Broken, with `fn` never run, if the thread cannot be started or cannot be bound.
  NamedThread(std::string name, std::optional<unsigned> pu, std::function<void()> fn);

  NamedThread(NamedThread&&) noexcept;
  NamedThread& operator=(NamedThread&&) noexcept;

  /// Joins. What `fn` threw and no join() fetched ends the program, as for std::thread, unless another
  /// exception is already on its way.
  ~NamedThread();

  /// Waits for `fn` to return and rethrows what it threw. A second call does nothing.
  void join();

  bool joinable() const;

  /// The kernel's thread id, for timers and affinity. Stale once the thread has ended.
  pid_t tid() const;

  /// The CPU it was bound to when it started, if any.
  std::optional<unsigned> pu() const;

  /// The whole name as given.
  const std::string& name() const;

 private:
  struct State;
  void wait_and_release();
  std::unique_ptr<State> state_;
};

}  // namespace harness
