// Runs shapes in the engine, as the tests of users run: instrumented code in fibers.
#pragma once

#include "harness/engine/litmus/judge.hpp"
#include "harness/engine/run.hpp"

namespace engine::litmus::real {

std::vector<Shape> shapes();

/// Strategies by turns. An outcome that no table can name (a deadlock, say) is what the engine said of it.
Outcomes run(Run&, const Shape&, Model, unsigned executions, uint64_t seed);

}  // namespace engine::litmus::real
