#pragma once

#include <string>
#include <string_view>

namespace harness {

/// Seconds in "90s", "15m", "8h", "1d", "500ms", "20us"; a bare number is minutes, as in kvm.sh.
/// Throws UsageError unless the whole text is a positive duration of at most 36500 days, which in nanoseconds
/// still fits into 64 bits.
double parse_duration_s(std::string_view text);

/// "90 s", "15 min", "8 h": for messages.
std::string duration_words(double seconds);

}  // namespace harness
