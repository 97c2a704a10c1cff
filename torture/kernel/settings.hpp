// What kind of machine and kernel the model is.
#pragma once

#include <cstdint>
#include <vector>

#include "srcu/host/host.hpp"

namespace torture::kernel {

using srcu::kJiffyNs;
inline constexpr unsigned kMostCpus = 64;

struct Settings {
  unsigned cpus = 2;
  bool preempt_rt = false;  ///< spinlock_t sleeps.
  std::vector<unsigned> pus;  ///< Real ones, taken in turn; empty: threads are not bound.
  bool self_ipi = true;     ///< Without, irq_works wait for the next tick of their CPU.
  bool tick_runs_irq_works = true;  ///< Without that, too, they never run: a kernel that takes its machine for one with IPI.
  bool patient_workers = false;  ///< Whoever wakes one goes on: it waits until that thread sleeps, or for its turn.
  uint64_t seed = 1;        ///< Of what programs at tracepoints draw.
};

/// Set before the model starts.
extern Settings settings;

}  // namespace torture::kernel
