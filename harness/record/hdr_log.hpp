// HdrHistogram's V2 encoding, its interval log (.hlog) and its percentile table (.hgrm).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/record/files.hpp"
#include "harness/record/histogram.hpp"

namespace harness {

/// The compressed V2 form, in base64 ("HISTFAAA..."): what stands in the last column of a .hlog line.
std::string encode_v2(const Counts& counts);

/// Percentile table in the .hgrm layout. `unit` nanoseconds make 1 in its Value column (1000: microseconds).
std::string hgrm_text(const Counts& counts, double unit);

/// A log of intervals that HdrHistogram's own readers take.
class HdrLog {
 public:
  /// `start_epoch_s`: wall clock at interval time 0; `units` goes into a comment line. Broken if it cannot be
  /// written.
  HdrLog(const std::filesystem::path& path, double start_epoch_s, std::string_view units);

  /// One line. Values are nanoseconds; the Interval_Max column is in milliseconds, as is the custom.
  void interval(std::string_view tag, double start_s, double length_s, const Counts& counts);

 private:
  Appender file_;
};

}  // namespace harness
