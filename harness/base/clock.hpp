#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>

namespace harness {

/// Nanoseconds of `clock`; async-signal-safe.
inline uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000ULL + static_cast<uint64_t>(t.tv_nsec);
}

/// CPU time that a thread of this process has used, also in the slice that is on; 0 if there is no such
/// thread.
inline uint64_t thread_cpu_ns(pid_t tid) {
  // The kernel's number for this clock: the complement of the thread, then 6, "of one thread, as scheduled".
  return now_ns(static_cast<clockid_t>((~static_cast<unsigned>(tid) << 3) | 6));
}

/// Sleeps `ns` nanoseconds of CLOCK_MONOTONIC; a signal may end it early.
inline void sleep_ns(uint64_t ns) {
  const timespec t{static_cast<time_t>(ns / 1'000'000'000ULL), static_cast<long>(ns % 1'000'000'000ULL)};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr);
}

}  // namespace harness
