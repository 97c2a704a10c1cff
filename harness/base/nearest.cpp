#include "harness/base/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace harness {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

std::string_view stem(std::string_view text) { return text.substr(0, text.find_first_of(":=")); }

/// Beyond half of the name changed, a guess only confuses.
size_t tolerance(std::string_view name) { return std::max<size_t>(1, stem(name).size() / 2); }

}  // namespace

std::vector<std::string> nearest_names(std::string_view word, const std::vector<std::string>& names) {
  // A very long word is near to nothing, and the distance costs its length times the name's.
  if (word.size() > 100) return {};
  std::vector<std::string> nearest;
  size_t best = word.size() + 1;
  for (const std::string& name : names) {
    const size_t distance = edit_distance(stem(word), stem(name));
    if (distance > tolerance(name) || distance > best) continue;
    if (distance < best) nearest.clear();
    best = distance;
    nearest.push_back(name);
  }
  return nearest;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
  const auto nearest = nearest_names(word, names);
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(nearest, " or "));
}

}  // namespace harness
