// What controlled threads cannot have.
#pragma once

#include <cstdint>

#include "harness/engine/run.hpp"

namespace engine {

/// Ends the process as fatal() does, and says in which test, at which place of the code under test, and how
/// to come back.
[[noreturn]] void refuse(Run&, const char* why, const char* call, uintptr_t pc);

inline constexpr const char* kTooManyThreads = "more than 64 threads in an execution: ";
inline constexpr const char* kKept = "this call shares with other threads what the engine cannot see: ";
inline constexpr const char* kMustNotBlock = "a controlled thread must not block by itself: ";

}  // namespace engine
