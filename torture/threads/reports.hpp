// Failures, gathered from all threads and written down once.
#pragma once

#include <array>
#include <string>

#include "torture/threads/cast.hpp"
#include "torture/threads/events.hpp"

namespace torture {

/// Collects what threads noted in their Faults, and what the conductor found itself. The first failure of
/// each check becomes an event at once, so that a crash right after does not take it along. The conductor's
/// thread only.
class Reports {
 public:
  Reports(const Cast& cast, Events& events) : cast_(cast), events_(events) {}

  /// Looks at every thread's notes. Returns true if there is any failure so far.
  bool collect();
  /// A failure that the conductor saw.
  void add(Check check, const std::string& message, const std::string& evidence);

  uint64_t failures() const;
  /// How often one check failed.
  uint64_t failures(Check check) const {
    return from_threads_[static_cast<size_t>(check)] + own_[static_cast<size_t>(check)];
  }
  /// CLOCK_MONOTONIC of the first failure, 0 if none.
  uint64_t first_ns() const { return first_ns_; }
  /// {"too_short_gp": 3, ...}: for the last event.
  nlohmann::ordered_json counts() const;

 private:
  void first_of(Check check, uint64_t at_ns, const std::string& message, const std::string& evidence);

  const Cast& cast_;
  Events& events_;
  std::array<uint64_t, kChecks> from_threads_{}, own_{};
  std::array<bool, kChecks> said_{};
  uint64_t first_ns_ = 0;
};

}  // namespace torture
