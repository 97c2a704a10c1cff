// The program's own memory, as new for each execution: global variables, and an allocator of its own for controlled threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine {

/// Once, before any execution: what global variables hold now is what they shall hold at the beginning of each.
void keep_program();

/// Puts back what controlled threads wrote and empties the arena.
void renew_program();

/// Of an address in the program, what it would be had the program been loaded at 0; others stay. For what must be the same in each
/// process, also where addresses are randomised.
uintptr_t without_load_address(uintptr_t address);

/// \name A controlled thread is about to read, or write, there
/// Libraries that are linked as they are write as well, and nobody sees it: so the whole of a variable that a controlled thread was seen
/// to use is put back.
/// @{
void will_read(uintptr_t address);
void will_write(uintptr_t address, size_t bytes);
/// @}

/// From the arena; never the same address twice in an execution, always the same in the same execution. Null: none left.
void* arena_allocate(size_t bytes, size_t alignment);
bool in_arena(const void*);
/// Of an object in the arena; 0 if none begins there, or it was freed before.
size_t arena_size(const void*);
void arena_free(const void*);

}  // namespace engine
