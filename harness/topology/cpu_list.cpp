#include "harness/topology/cpu_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

[[noreturn]] void refuse(std::string_view whole) {
  throw UsageError(
      fmt::format("\"{}\" is not a list of PUs: write numbers and ranges, as 0,4 or 0-3,8", whole));
}

unsigned number(std::string_view text, std::string_view whole) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value >= kCpuLimit) refuse(whole);
  return value;
}

void append_range(std::string_view item, std::string_view whole, std::vector<unsigned>& out) {
  const size_t dash = item.find('-');
  const unsigned first = number(item.substr(0, dash), whole);
  const unsigned last = dash == std::string_view::npos ? first : number(item.substr(dash + 1), whole);
  if (last < first) refuse(whole);
  for (unsigned cpu = first; cpu <= last; ++cpu) out.push_back(cpu);
}

}  // namespace

std::string cpu_list_text(std::vector<unsigned> cpus) {
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  std::string text;
  for (size_t first = 0; first < cpus.size();) {
    size_t last = first;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += first == last ? fmt::format("{}", cpus[first]) : fmt::format("{}-{}", cpus[first], cpus[last]);
    first = last + 1;
  }
  return text;
}

std::vector<unsigned> parse_cpu_list(std::string_view text) {
  std::vector<unsigned> cpus;
  for (size_t start = 0;;) {
    const size_t comma = text.find(',', start);
    append_range(text.substr(start, comma - start), text, cpus);
    if (comma == std::string_view::npos) return cpus;
    start = comma + 1;
  }
}

}  // namespace harness
