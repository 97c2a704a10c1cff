#include "harness/engine/orders.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

std::vector<std::string>& all_orders() {
  static std::vector<std::string> labels;
  return labels;
}

}  // namespace

Orders::Orders(std::initializer_list<const char*> labels) { all_orders().assign(labels.begin(), labels.end()); }

const char* dropped_order() { return engaged ? engaged->settings().dropped.c_str() : ""; }

std::string known_order(std::string_view label) {
  const auto& all = all_orders();
  if (all.empty()) throw harness::UsageError("this program has no labelled orders to drop");
  if (std::find(all.begin(), all.end(), label) == all.end())
    throw harness::UsageError(
        fmt::format("no order '{}'{} (of {})", label, harness::did_you_mean(label, all), fmt::join(all, " ")));
  return std::string(label);
}

}  // namespace engine
