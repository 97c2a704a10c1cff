// A crash of code under test is a finding like any other.
#pragma once

#include "harness/engine/run.hpp"

namespace engine {

/// For this process: fatal signals in an execution of `run` end the execution, and a loop that never comes to a step ends
/// the process.
void watch_for_crashes(Run& run);

/// Executions are over: no more signals, which cut short what reports have to wait for.
void end_watch();

}  // namespace engine
