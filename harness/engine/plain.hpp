// Plain accesses of code under test, told before they are made; nothing if the caller is not a controlled thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine {

void plain_read(const volatile void* address, size_t size, uintptr_t pc);
void plain_write(volatile void* address, size_t size, uintptr_t pc);

}  // namespace engine
