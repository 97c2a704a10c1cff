// Tasks: threads that the model's scheduler knows. Waking one, and going to sleep, take the locks that they take in a
// kernel.
#pragma once

#include <atomic>
#include <string>

#include "torture/kernel/deadlock.hpp"
#include "torture/kernel/lock.hpp"

namespace torture::kernel {

class Cpu;

struct Task {
  Task(std::string name, Cpu& cpu) : name(std::move(name)), cpu(cpu) {}

  const std::string name;
  Cpu& cpu;
  Lock pi_lock{pi_kind};
  std::atomic<uint32_t> awake{1};
  Task* next_idle = nullptr;  ///< Its pool's.

  /// Its CPU, or, while that is offline, the first one.
  Cpu& where() const;
};

/// The calling thread is this task, on the task's CPU, while this lives.
class OnCpu {
 public:
  explicit OnCpu(Task& task);
  ~OnCpu();
  OnCpu(const OnCpu&) = delete;
  OnCpu& operator=(const OnCpu&) = delete;

 private:
  Member member_;
};

/// Null in threads that the model does not know; those count as on the first CPU.
Task* current_task();
Cpu& this_cpu();

/// try_to_wake_up(): the task's pi_lock, then its runqueue's lock. Any context that may take these.
void wake_up(Task& task);

/// set_current_state(), to be followed by a look at what is waited for, and by schedule().
void about_to_sleep(Task& self);
/// Sleeps until woken, which may have been before, or until `timeout_ns` is over (0: no limit).
void schedule(Task& self, uint64_t timeout_ns = 0);

}  // namespace torture::kernel
