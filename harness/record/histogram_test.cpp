#include "harness/record/histogram.hpp"

#include <gtest/gtest.h>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

TEST(Histogram, LayoutIsHdrHistograms) {
  EXPECT_EQ(Layout(3).size, 33792U);  // the C library's counts_len for 1 .. 3.6e12 at 3 digits
  EXPECT_EQ(Layout(3).magnitude, 11U);
  EXPECT_EQ(Layout(2).magnitude, 8U);
  EXPECT_THROW(Layout(5), UsageError);
}

TEST(Histogram, EveryValueIsFoundWithinItsDigits) {
  for (const int digits : {2, 3}) {
    const Layout layout(digits);
    const double error = digits == 2 ? 0.01 : 0.001;
    for (uint64_t value = 1; value < layout.highest; value = value * 21 / 20 + 1) {
      const uint64_t read = layout.highest_at(layout.index(value));
      EXPECT_GE(read, value);
      EXPECT_LE(static_cast<double>(read), static_cast<double>(value) * (1 + error));
      EXPECT_EQ(layout.index(read), layout.index(value));
    }
  }
}

TEST(Histogram, TooLargeIsKeptAsHighest) {
  Histogram histogram(2, 1'000'000);
  histogram.record(~uint64_t{0});
  EXPECT_EQ(histogram.snapshot().total(), 1U);
  EXPECT_GE(histogram.snapshot().max(), 1'000'000U);
}

TEST(Histogram, PercentilesOfAHundred) {
  Histogram histogram(3);
  for (uint64_t v = 1; v <= 100; ++v) histogram.record(v);
  const Counts counts = histogram.snapshot();
  EXPECT_EQ(counts.total(), 100U);
  EXPECT_EQ(counts.value_at(50), 50U);
  EXPECT_EQ(counts.value_at(99), 99U);
  EXPECT_EQ(counts.value_at(100), 100U);
  EXPECT_EQ(counts.max(), 100U);
  EXPECT_EQ(Counts(Layout(3)).value_at(50), 0U);
}

TEST(Histogram, IntervalsAddUp) {
  Histogram histogram(2);
  histogram.record(10);
  const Counts first = histogram.snapshot();
  histogram.record(10);
  histogram.record(5000);
  Counts interval = histogram.snapshot();
  interval.subtract(first);
  EXPECT_EQ(interval.total(), 2U);
  interval.add(first);
  EXPECT_EQ(interval.counts(), histogram.snapshot().counts());
}

}  // namespace
}  // namespace harness
