// Latency histograms in the layout of HdrHistogram.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

namespace harness {

/// Which counter a value belongs to. Values from 1 up are kept to `digits` significant digits; the layout is
/// Gil Tene's HdrHistogram with lowest discernible value 1.
struct Layout {
  /// `digits` 2 or 3 (UsageError otherwise); `highest` is the largest value that is told from larger ones.
  explicit Layout(int digits, uint64_t highest = 3'600'000'000'000);

  int digits;
  uint64_t highest;
  unsigned magnitude;  ///< log2 of the number of sub-buckets
  size_t size;         ///< counters

  size_t index(uint64_t value) const {
    if (value > highest) value = highest;
    const uint64_t mask = (uint64_t{1} << magnitude) - 1;
    const unsigned bucket = 64 - static_cast<unsigned>(std::countl_zero(value | mask)) - magnitude;
    const uint64_t sub = value >> bucket;
    return (static_cast<size_t>(bucket) << (magnitude - 1)) + static_cast<size_t>(sub);
  }
  /// The largest value that shares this counter.
  uint64_t highest_at(size_t index) const;

  bool operator==(const Layout&) const = default;
};

/// Counts of a histogram at one instant, or of an interval.
class Counts {
 public:
  explicit Counts(const Layout& layout) : layout_(layout), counts_(layout.size) {}

  const Layout& layout() const { return layout_; }
  const std::vector<uint64_t>& counts() const { return counts_; }
  void set(size_t index, uint64_t count) { counts_[index] = count; }
  /// Layouts must be equal.
  void add(const Counts& other);
  /// `earlier` is a snapshot of the same histogram, taken before.
  void subtract(const Counts& earlier);

  uint64_t total() const;
  /// 0 when empty; like every value read back, the highest of its counter.
  uint64_t max() const;
  uint64_t value_at(double percentile) const;

 private:
  Layout layout_;
  std::vector<uint64_t> counts_;
};

/// Written by one thread, read by any. record() has no locked instruction and allocates nothing.
class Histogram {
 public:
  explicit Histogram(int digits, uint64_t highest = 3'600'000'000'000);

  void record(uint64_t value) {
    std::atomic<uint64_t>& count = counts_[layout_.index(value)];
    // relaxed, both: single writer, and readers want statistics only
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  Counts snapshot() const;
  const Layout& layout() const { return layout_; }

 private:
  Layout layout_;
  std::unique_ptr<std::atomic<uint64_t>[]> counts_;
};

}  // namespace harness
