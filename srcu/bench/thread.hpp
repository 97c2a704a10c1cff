// A benchmark's threads: each on a CPU of its own, where there are enough.
#pragma once

#include <sched.h>
#include <time.h>

#include <cstdint>

namespace srcu_bench {

inline uint64_t nanoseconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}
inline uint64_t wall_ns() { return nanoseconds(CLOCK_MONOTONIC); }
inline uint64_t cpu_ns() { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

/// What the process was given; threads inherit what their maker was pinned to.
inline const cpu_set_t all_cpus = [] {
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  return set;
}();

/// Keeps the calling thread on one CPU, by number, while it lives.
class Pinned {
 public:
  explicit Pinned(int number) {
    int skip = number % CPU_COUNT(&all_cpus);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &all_cpus) || skip-- > 0) ++cpu;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~Pinned() { sched_setaffinity(0, sizeof all_cpus, &all_cpus); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
};

/// A pinned thread that a flavour knows.
template <class Flavour>
class Attached {
 public:
  explicit Attached(int number) : pinned_(number) {
    Flavour::attach();
    Flavour::unlock(Flavour::lock());  // first use is somebody else's cost
  }
  ~Attached() { Flavour::detach(); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  Pinned pinned_;
};

}  // namespace srcu_bench
