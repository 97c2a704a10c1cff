// A crash of code under test is a finding like any other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/engine/run.hpp"

namespace engine {

inline constexpr unsigned kMostSilent = 60;

/// For this process: fatal signals in an execution of `run` end the execution, and a loop that never comes to a step ends
/// the process.
void watch_for_crashes(Run& run);

/// \name What the engine is about to use in the place of code under test, called from `pc`: if there is no memory, it is that code's
/// crash, not the engine's
/// @{
void must_be_readable(const volatile void* address, size_t bytes, uintptr_t pc);
void must_be_writable(volatile void* address, size_t bytes, uintptr_t pc);
/// @}

/// How long that loop may be, in seconds of CPU time; before watch_for_crashes().
void allow_silence(unsigned seconds);

/// Executions are over: no more signals, which cut short what reports have to wait for.
void end_watch();

}  // namespace engine
