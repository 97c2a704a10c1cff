// One updater's place: what it publishes, what it has taken back, and the accounts of its callbacks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "harness/base/random.hpp"
#include "torture/threads/element.hpp"

namespace torture {

/// How many chains a station publishes and how long they are: "pointer" 1 x 1, "list" 1 x 8, "hash" 8 x 3.
struct Shape {
  unsigned buckets, length;
  static Shape of(const std::string& workload);
};

/// Elements of a station beyond those that are published; rcutorture's pool.
inline constexpr unsigned kSpareElements = 100;

/// Written by one updater; read by every reader. All elements live in one pool that is never unmapped, so a
/// reader of a broken scheme sees poison and not a fault.
class Station {
 public:
  Station(Shape shape, uint64_t seed, unsigned index);

  /// \name The reader's side
  /// @{
  const Shape& shape() const { return shape_; }
  std::atomic<Element*>& bucket(unsigned i) { return buckets_[i].head; }
  /// @}

  /// \name The updater's side: one thread only
  /// @{
  /// Publishes a fresh element in a random bucket and unpublishes one there (the second is returned, its pipe
  /// is 1). Null when no element is free.
  Element* replace();
  /// One whole grace period that began after `e` was unpublished has ended: ages it, frees it at the tenth.
  /// Returns true while it still has to wait.
  bool age(Element* e);
  /// Elements whose callback ran since the last time, as a list through `link`; already aged by that grace
  /// period.
  Element* take_returned();
  /// Accounts for a post and hands the element over; the caller calls the scheme's call() right after.
  void note_post(Element* e);
  unsigned free_count() const { return free_count_; }
  /// The updater is about to wait for a grace period, or has waited. relaxed: for those who count what overlapped
  void begin_wait() { waits_.store(true, std::memory_order_relaxed); }
  void end_wait() { waits_.store(false, std::memory_order_relaxed); }
  /// @}

  /// Whether a grace period is waited for over what was unpublished here: by the updater, or by callbacks.
  bool waited_for() const { return waits_.load(std::memory_order_relaxed) || in_flight() > 0; }  // relaxed: as above

  /// The callback for call(): ages nothing, frees nothing, hands the element back to its updater.
  static void on_callback(srcutorture_head* head);

  /// Elements that are with the scheme's callbacks.
  uint64_t in_flight() const { return posted() - invoked(); }

  uint64_t posted() const { return peek(posted_); }
  /// acquire: pairs with the release in on_callback, so that what a callback wrote is seen by whoever counts
  /// it.
  uint64_t invoked() const { return invoked_.load(std::memory_order_acquire); }
  uint64_t doubled() const { return peek(doubled_); }
  uint64_t pending_bytes() const;
  /// How many elements have left each stage of the pipe: 0 when unpublished, the last but one when freed. All
  /// equal, but for those on their way; none ever leaves the last.
  uint64_t left_stage(size_t pipe) const { return peek(left_stage_[pipe]); }

 private:
  struct alignas(64) Bucket {
    std::atomic<Element*> head{nullptr};
  };
  Element* take_free();
  void free(Element* e);
  void publish(Element* e, std::atomic<Element*>& at, Element* next);

  Shape shape_;
  harness::Random random_;
  std::unique_ptr<Bucket[]> buckets_;
  std::unique_ptr<Element[]> pool_;
  Element* free_ = nullptr;
  Element* free_tail_ = nullptr;
  unsigned free_count_ = 0;
  uint64_t generation_ = 0;
  std::array<std::atomic<uint64_t>, kPipeSlots> left_stage_{};
  alignas(64) std::atomic<uint64_t> posted_{0};
  std::atomic<bool> waits_{false};
  alignas(64) std::atomic<uint64_t> invoked_{0};
  std::atomic<uint64_t> doubled_{0};
  std::atomic<Element*> returned_{nullptr};
};

}  // namespace torture
