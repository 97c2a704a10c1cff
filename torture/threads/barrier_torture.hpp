// Posts callbacks from several threads and asks the barrier whether it waited for them all.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "harness/record/histogram.hpp"
#include "torture/threads/world.hpp"

namespace torture {

/// One barrier thread and n_barrier_cbs posters. "Before" is made by the harness: a poster's call() returned,
/// it said so in its mailbox, the barrier thread read that, and only then called barrier().
class BarrierTorture {
 public:
  BarrierTorture(World& world, unsigned posters);

  void run_poster(unsigned index);
  void run_barrier();

  /// True while the barrier thread is inside barrier(). relaxed: a hint for the stall watch
  bool waiting() const { return waiting_.load(std::memory_order_relaxed); }
  uint64_t barriers() const { return peek(barriers_); }
  uint64_t posted() const;
  uint64_t invoked() const;
  const harness::Histogram& latency() const { return latency_; }
  const Faults& faults() const { return faults_; }

 private:
  struct alignas(64) Poster {
    srcutorture_head head;             // first: the callback casts
    std::atomic<uint64_t> asked{0};    ///< Round that the barrier thread wants a callback for.
    std::atomic<uint64_t> posted{0};   ///< The mailbox: round whose call() has returned.
    std::atomic<uint64_t> invoked{0};  ///< Round whose callback ran.
  };
  static void on_callback(srcutorture_head* head);
  bool wait_for(const std::atomic<uint64_t>& round, uint64_t value, Membership& member) const;

  World& world_;
  std::vector<std::unique_ptr<Poster>> posters_;
  std::atomic<bool> waiting_{false};
  std::atomic<uint64_t> barriers_{0};
  harness::Histogram latency_{2};
  Faults faults_;
};

}  // namespace torture
