// Plain accesses of code under test, told before they are made; nothing if the caller is not a controlled thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine {

class Run;

/// Is this code that tells of its accesses, or the engine's? Libraries do what nobody sees.
bool instrumented(uintptr_t pc);

void plain_read(const volatile void* address, size_t size, uintptr_t pc);
void plain_write(volatile void* address, size_t size, uintptr_t pc);
/// What a stand-in of libc's is about to write for its caller, in its own step.
void will_give(Run&, void* address, size_t size, uintptr_t pc);

}  // namespace engine
