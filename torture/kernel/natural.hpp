// The natural paths: what the machine does all day, walked once each. A prover learns only orders that ran.
#pragma once

#include <span>

#include "srcu/srcu.h"
#include "torture/kernel/cpu.hpp"

namespace torture::kernel {

/// \name Single ones. In a task of the model; they return when it is over.
/// @{
void let_timers_expire(Cpu& cpu);
void run_work(Cpu& cpu);
void post_and_wait(srcu_struct& domain);
/// @}

/// All of them. The domain is idle before and after.
void walk_natural_paths(srcu_struct& domain);

/// Waits until the domain is idle, and so is this CPU: no work, no timer of PSI.
void settle(srcu_struct& domain);

/// An order of the model's locks, and who says that a kernel has it.
struct Edge {
  const char *from, *to, *source;
};
std::span<const Edge> known_edges();

}  // namespace torture::kernel
