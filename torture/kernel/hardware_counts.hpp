// Instructions and cache lines of a piece of code, as the processor counts them: in this thread, outside of the kernel.
#pragma once

#include <cstdint>

namespace torture::kernel {

struct Counts {
  uint64_t instructions = 0, lines = 0;  ///< Lines: misses of loads in the first-level data cache.
};

/// Two counters of the calling thread's, from the kernel's perf_event_open(), if the environment has SRCU_BENCH_COUNT and the
/// machine can. SRCU_BENCH_COUNT=software takes two that every kernel has, and that mean something else (page faults and
/// context switches): to see that the way there works.
class HardwareCounts {
 public:
  HardwareCounts();
  ~HardwareCounts();
  HardwareCounts(const HardwareCounts&) = delete;
  HardwareCounts& operator=(const HardwareCounts&) = delete;

  bool open() const { return first_ >= 0 && second_ >= 0; }
  /// Since they were opened. Signal-safe.
  Counts now() const;
  /// Since then, less what asking twice takes.
  Counts since(const Counts& begin) const;

 private:
  int first_ = -1, second_ = -1;
  Counts asking_;
};

}  // namespace torture::kernel
