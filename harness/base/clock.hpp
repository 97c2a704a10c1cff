#pragma once

#include <time.h>

#include <cstdint>

namespace harness {

/// Nanoseconds of `clock`; async-signal-safe.
inline uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000ULL + static_cast<uint64_t>(t.tv_nsec);
}

/// Sleeps `ns` nanoseconds of CLOCK_MONOTONIC; a signal may end it early.
inline void sleep_ns(uint64_t ns) {
  const timespec t{static_cast<time_t>(ns / 1'000'000'000ULL), static_cast<long>(ns % 1'000'000'000ULL)};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr);
}

}  // namespace harness
