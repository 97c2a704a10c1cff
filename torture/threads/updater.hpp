// The writer: unpublishes elements, waits for grace periods in every way that the scheme offers, ages what
// waited.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "harness/record/histogram.hpp"
#include "torture/threads/grace.hpp"
#include "torture/threads/interrupt.hpp"

namespace torture {

/// One updater and its station.
class Updater {
 public:
  /// `interrupt` may be null.
  Updater(World& world, Station& station, const GraceKinds& kinds, Interrupt* interrupt, unsigned index);

  /// The thread's body; returns when the world stops.
  void run();

  uint64_t versions() const { return peek(versions_); }
  /// How often no element was free.
  uint64_t starved() const { return peek(starved_); }
  /// True while no element is free. relaxed: a hint for the stall watch
  bool starving() const { return starving_.load(std::memory_order_relaxed); }
  const Grace& grace() const { return grace_; }
  const harness::Histogram& callback_delay() const { return callback_delay_; }
  const Faults& faults() const { return faults_; }

 private:
  GraceKind choose();
  void pass(const Phase& phase, Membership& member);
  void collect_returned();
  void starve(GraceKind kind, Membership& member);
  void post(Element* list);
  void append(Element* list);
  void age_waiting();
  void look_back(Element* e);
  void pace(const Phase& phase);

  World& world_;
  Station& station_;
  Interrupt* interrupt_;
  unsigned index_;
  const GraceKinds& kinds_;
  harness::Random random_;
  Grace grace_;
  Element* waiting_ = nullptr;  // unpublished, not posted: each grace period ages them
  void* ctx_ = nullptr;
  uint64_t short_of_ns_ = 0;  // back-off while no element is free
  std::atomic<uint64_t> versions_{0}, starved_{0};
  std::atomic<bool> starving_{false};
  harness::Histogram callback_delay_{2};
  Faults faults_;
};

}  // namespace torture
