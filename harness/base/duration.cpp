#include "harness/base/duration.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 7> kUnits{
    {{"", 60.0}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1.0}, {"m", 60.0}, {"h", 3600.0}, {"d", 86400.0}}};

}  // namespace

double parse_duration_s(std::string_view text) {
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(rest, text.data() + text.size());
  for (const auto& [name, seconds] : kUnits) {
    if (error == std::errc{} && unit == name && std::isfinite(number) && number > 0) return number * seconds;
  }
  throw UsageError(
      fmt::format("'{}' is no duration: write 90s, 15m, 8h or 1d (a bare number is minutes)", text));
}

std::string duration_words(double seconds) {
  if (seconds < 120) return fmt::format("{:g} s", seconds);
  if (seconds < 7200) return fmt::format("{:g} min", seconds / 60);
  return fmt::format("{:g} h", seconds / 3600);
}

}  // namespace harness
