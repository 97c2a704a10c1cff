#include "torture/threads/reports.hpp"

#include <fmt/format.h>

#include "harness/base/clock.hpp"

namespace torture {

bool Reports::collect() {
  from_threads_.fill(0);
  for (size_t i = 0; i < kChecks; ++i) {
    const auto check = static_cast<Check>(i);
    for (const auto& [name, faults] : cast_.faults()) {
      const uint64_t count = faults->count(check);
      from_threads_[i] += count;
      if (count == 0) continue;
      const Faults::First& first = faults->first(check);
      first_of(check, first.at_ns, fmt::format(fmt::runtime(first.what), first.a, first.b),
               fmt::format("seen by {}", name));
    }
  }
  uint64_t doubled = 0;
  for (const auto& station : cast_.stations()) doubled += station->doubled();
  for (const auto& poster : cast_.signal_posters()) doubled += poster->doubled();
  if (cast_.company()) doubled += cast_.company()->doubled();
  if (doubled > own_[static_cast<size_t>(Check::kDoubleCallback)]) {
    own_[static_cast<size_t>(Check::kDoubleCallback)] = doubled;
    first_of(Check::kDoubleCallback, harness::now_ns(), "a callback ran for a head that was not posted",
             "the head's own state");
  }
  return failures() > 0;
}

void Reports::add(Check check, const std::string& message, const std::string& evidence) {
  ++own_[static_cast<size_t>(check)];
  first_of(check, harness::now_ns(), message, evidence);
}

void Reports::first_of(Check check, uint64_t at_ns, const std::string& message, const std::string& evidence) {
  if (first_ns_ == 0) first_ns_ = at_ns;
  if (said_[static_cast<size_t>(check)]) return;
  said_[static_cast<size_t>(check)] = true;
  events_.say_at(at_ns, "failure",
                 {{"check", check_name(check)}, {"message", message}, {"evidence", evidence}});
}

uint64_t Reports::failures() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kChecks; ++i) sum += failures(static_cast<Check>(i));
  return sum;
}

nlohmann::ordered_json Reports::counts() const {
  auto counts = nlohmann::ordered_json::object();
  for (size_t i = 0; i < kChecks; ++i) {
    const auto check = static_cast<Check>(i);
    if (const uint64_t sum = failures(check); sum > 0) counts[check_name(check)] = sum;
  }
  return counts;
}

}  // namespace torture
