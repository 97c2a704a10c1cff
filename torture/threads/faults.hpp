// How a thread, or a signal handler on it, tells that it saw something wrong.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "torture/threads/element.hpp"

namespace torture {

/// The checks that the torture makes itself. The order is causal: what stands first explains what
/// follows.
enum class Check : unsigned {
  kTooShortGp,
  kMemoryOrder,
  kEarlyCookie,
  kEarlyBarrier,
  kDoubleCallback,
  kLostCallback,
  kCounterMismatch,
  kGarbageBound,
  kLockCycle,
  kWaitContext,
  kSelfDeadlock,
  kStalledGp,
  kNoForwardProgress,
};
inline constexpr size_t kChecks = 13;

/// "too_short_gp" and so on: the names of the checks in every file.
const char* check_name(Check check);

/// One writer's failures: how often each check failed, and the details of the first of each. Filled without
/// locks or allocation, so in any context; read by the conductor.
class Faults {
 public:
  /// `what` must be a string literal; its first {} stands for `a`, its second for `b`.
  void note(Check check, const char* what, uint64_t a = 0, uint64_t b = 0);

  struct First {
    const char* what = nullptr;
    uint64_t a = 0, b = 0, at_ns = 0;
  };
  uint64_t count(Check check) const;
  /// Details of the first failure; valid once count() is not 0.
  const First& first(Check check) const { return first_[static_cast<size_t>(check)]; }

 private:
  std::array<std::atomic<uint64_t>, kChecks> counts_{};
  std::array<First, kChecks> first_{};
};

}  // namespace torture
