// A CPU's worker pool: a list of work, and workers that sleep while it is empty.
#pragma once

#include <atomic>
#include <vector>

#include "harness/threads/named_thread.hpp"
#include "srcu/host/host.hpp"
#include "torture/kernel/task.hpp"
#include "torture/kernel/timer.hpp"

namespace torture::kernel {

class Pool {
 public:
  explicit Pool(Cpu& cpu);
  void start();
  /// The workers come to their end when the list is empty.
  void stop();

  /// Appends the work, and wakes an idle worker under the pool's lock.
  void insert(srcu::Work& work);
  /// As insert(), if the work runs here now; otherwise false.
  bool insert_if_running(srcu::Work& work);
  /// True if the work was waiting here; it is not any more.
  bool take(srcu::Work& work);
  bool running(srcu::Work& work);
  /// Nothing waits, nothing runs, all workers sleep.
  bool idle();
  /// The one that insert() would wake; null if all are awake.
  Task* idle_worker();
  /// The same for those who cannot take the lock: who it was a moment ago.
  Task* idle_worker_in_passing() const { return idle_.load(std::memory_order_relaxed); }  // relaxed: as it says

  Lock lock{pool_kind};

 private:
  static constexpr unsigned kWorkers = 2;
  Task* first_idle() const;
  void wake_idle_worker();
  void append(srcu::Work& work);
  void work_until_stopped(Task& self);
  srcu::Work* next_work();
  void enter_idle(Task& self);
  void leave_idle(Task& self);

  Cpu& cpu_;
  srcu::Work* first_ = nullptr;
  std::atomic<Task*> idle_{nullptr};  ///< The lock's, but for looks in passing: relaxed throughout.
  unsigned busy_ = 0;
  bool stopping_ = false;
  Timer idle_timer_;  ///< Ends workers that have nothing to do, in a kernel. Here it only runs.
  Task workers_[kWorkers];
  std::vector<harness::NamedThread> threads_;
};

}  // namespace torture::kernel
