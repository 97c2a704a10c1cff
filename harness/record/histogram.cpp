#include "harness/record/histogram.hpp"

#include <cmath>
#include <numeric>

#include "harness/base/errors.hpp"

namespace harness {

Layout::Layout(int digits_in, uint64_t highest_in) : digits(digits_in), highest(highest_in) {
  if (digits < 2 || digits > 3) throw UsageError("a histogram keeps 2 or 3 digits");
  const uint64_t resolution = digits == 2 ? 200 : 2000;  // 2 * 10^digits values at unit resolution
  magnitude = static_cast<unsigned>(std::bit_width(resolution - 1));
  unsigned buckets = 1;
  for (uint64_t untrackable = uint64_t{1} << magnitude;
       untrackable <= highest && untrackable < (uint64_t{1} << 62); untrackable <<= 1) {
    ++buckets;
  }
  size = static_cast<size_t>(buckets + 1) << (magnitude - 1);
}

uint64_t Layout::highest_at(size_t index) const {
  const size_t half = size_t{1} << (magnitude - 1);
  if (index < 2 * half) return index;
  const size_t bucket = index / half - 1;
  const uint64_t sub = index % half + half;
  return ((sub + 1) << bucket) - 1;
}

void Counts::add(const Counts& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

void Counts::subtract(const Counts& earlier) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] -= earlier.counts_[i];
}

uint64_t Counts::total() const { return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0}); }

uint64_t Counts::max() const {
  for (size_t i = counts_.size(); i-- > 0;) {
    if (counts_[i] != 0) return layout_.highest_at(i);
  }
  return 0;
}

uint64_t Counts::value_at(double percentile) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(static_cast<double>(total()) * percentile / 100.0));
  uint64_t passed = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    passed += counts_[i];
    if (passed >= wanted && passed > 0) return layout_.highest_at(i);
  }
  return 0;
}

Histogram::Histogram(int digits, uint64_t highest)
    : layout_(digits, highest), counts_(new std::atomic<uint64_t>[layout_.size]()) {}

Counts Histogram::snapshot() const {
  Counts now(layout_);
  for (size_t i = 0; i < layout_.size; ++i)
    now.set(i, counts_[i].load(std::memory_order_relaxed));  // relaxed: statistics
  return now;
}

}  // namespace harness
