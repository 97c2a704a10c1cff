#include "harness/base/duration.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 7> kUnits{
    {{"", 60.0}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1.0}, {"m", 60.0}, {"h", 3600.0}, {"d", 86400.0}}};

constexpr double kLongestDays = 36500;

/// Seconds that the text means; nothing if it means none. Infinite if no double
/// is as large.
std::optional<double> meant_s(std::string_view text) {
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // A number out of range is left untouched, be it too large or too small.
  if (error == std::errc::result_out_of_range) number = text.find("e-") == text.npos ? HUGE_VAL : 0;
  const std::string_view unit(rest, text.data() + text.size());
  for (const auto& [name, seconds] : kUnits) {
    if (error != std::errc::invalid_argument && unit == name) return number * seconds;
  }
  return {};
}

}  // namespace

double parse_duration_s(std::string_view text) {
  const std::optional<double> seconds = meant_s(text);
  if (!seconds || !(*seconds > 0)) {
    throw UsageError(
        fmt::format("'{}' is no duration: write 90s, 15m, 8h or 1d (a bare number is minutes)", text));
  }
  if (*seconds > kLongestDays * 86400)
    throw UsageError(fmt::format("'{}' is too long: the longest is {:g}d", text, kLongestDays));
  return *seconds;
}

std::string duration_words(double seconds) {
  if (seconds < 120) return fmt::format("{:g} s", seconds);
  if (seconds < 7200) return fmt::format("{:g} min", seconds / 60);
  return fmt::format("{:g} h", seconds / 3600);
}

}  // namespace harness
