#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace harness {

/// The CPUs the kernel lets `thread` (a tid; 0 for the caller) run on, ascending. Broken if it does not tell.
std::vector<unsigned> affinity(pid_t thread = 0);

/// Lets a thread (0: the caller), and those that it starts later, run on these CPUs only, and checks that the
/// kernel did it. Empty, or why it did not.
std::string confine(pid_t thread, std::vector<unsigned> pus);

/// Pins the calling thread to one CPU and checks that the kernel did it. Broken, in one line, if it did not;
/// then the thread may be left with another mask. Take `pu` from a Topology that is not dry(): the kernel
/// itself accepts any CPU of the cgroup, also one outside the mask that the user gave by taskset.
void bind_this_thread(unsigned pu);

/// The CPU this thread runs on at this moment. Broken if the kernel does not tell.
unsigned current_cpu();

}  // namespace harness
