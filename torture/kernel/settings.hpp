// What kind of machine and kernel the model is.
#pragma once

#include <cstdint>
#include <vector>

namespace torture::kernel {

inline constexpr uint64_t kJiffyNs = 1'000'000;
inline constexpr unsigned kMostCpus = 64;

struct Settings {
  unsigned cpus = 2;
  bool preempt_rt = false;  ///< spinlock_t sleeps.
  std::vector<unsigned> pus;  ///< Real ones, taken in turn; empty: threads are not bound.
  bool self_ipi = true;     ///< Without, irq_works wait for the next tick of their CPU.
};

/// Set before the model starts.
extern Settings settings;

}  // namespace torture::kernel
