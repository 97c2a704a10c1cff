// Runs shapes against a Memory, as a random scheduler would: any thread's next operation, a store buffer's oldest store, or a
// membarrier's fence in one of its targets.
#pragma once

#include <map>

#include "harness/engine/litmus/shape.hpp"
#include "harness/engine/memory.hpp"

namespace engine::litmus::direct {

std::vector<Shape> shapes();

/// How often each outcome came.
std::map<std::string, unsigned> run(const Shape&, Model, unsigned executions, uint64_t seed);

}  // namespace engine::litmus::direct
