// How many executions differed, as their hashes tell, whichever job made them.
#pragma once

#include <atomic>
#include <cstdint>

#include "harness/supervise/shared_pages.hpp"

namespace engine {

/// A table in memory that processes share; made before they are. All is relaxed: they agree on nothing but hashes and their number.
class Distinct {
 public:
  static constexpr uint64_t kMost = 1'000'000;

  Distinct() : table_(static_cast<Table*>(harness::map_shared(sizeof(Table), "hashes of executions"))) {}
  ~Distinct() { harness::unmap_shared(table_, sizeof(Table)); }
  Distinct(const Distinct&) = delete;
  Distinct& operator=(const Distinct&) = delete;

  void add(uint64_t hash) {
    if (full()) return;
    hash += hash == 0;  // 0: nothing is there
    for (uint64_t at = hash % kSlots;; at = (at + 1) % kSlots) {
      const std::atomic_ref slot(table_->hashes[at]);
      uint64_t there = slot.load(std::memory_order_relaxed);
      if (there == 0 && slot.compare_exchange_strong(there, hash, std::memory_order_relaxed)) {
        std::atomic_ref(table_->count).fetch_add(1, std::memory_order_relaxed);
        return;
      }
      if (there == hash) return;
    }
  }
  uint64_t count() const { return std::atomic_ref(table_->count).load(std::memory_order_relaxed); }
  bool full() const { return count() >= kMost; }  ///< What comes now is not counted.

 private:
  static constexpr uint64_t kSlots = uint64_t{1} << 21;
  struct Table {
    uint64_t count, hashes[kSlots];  // 0 as they are mapped
  };
  Table* const table_;
};

}  // namespace engine
