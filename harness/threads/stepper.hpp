// Interrupts a path of code before one chosen instruction, as an NMI may come there: with every choice in
// turn, all places where one can come are tried.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace harness {

/// Single-steps the calling thread by the CPU's trap flag: x86-64 only, about 6 us an instruction. Each trap
/// serialises, so that no store waits in its buffer when the interruption comes. Takes SIGTRAP for the whole
/// process.
class Stepper {
 public:
  using Function = void (*)(void* argument);

  struct Result {
    uint64_t instructions;  ///< Stepped: up to the interruption, or all of the path.
    uintptr_t at;  ///< Address of the instruction that was interrupted; 0 if the path ended before it.
  };

  /// Why this machine or this build cannot; empty if it can.
  static std::string why_not();

  /// Runs `path`, and before its instruction number `at` (the first is 0) runs `on_top` in a signal handler
  /// on top of it; the rest runs at full speed. Neither may throw. Not from inside itself. `place`, if given,
  /// gets the address before `on_top` runs, for whoever looks on should that not return.
  static Result run(Function path, void* path_argument, uint64_t at, Function on_top, void* on_top_argument,
                    std::atomic<uintptr_t>* place = nullptr);
};

}  // namespace harness
