// Where thread-local memory is. For each controlled thread a real one was started and sleeps for ever; its block serves.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine {

/// Starts a thread that does nothing, on the given stack, and returns its thread pointer.
uintptr_t parked_thread(void* stack, size_t bytes);

/// Gives the thread_local variables of the program (not of its shared libraries) in that thread the values of a new thread.
void renew_thread_locals(uintptr_t thread_pointer);

/// For the calling thread: what libraries keep of it that shows in programs. An execution may have ended in the middle of a catch.
void renew_libraries_thread_locals();

uintptr_t thread_pointer();
void set_thread_pointer(uintptr_t);

}  // namespace engine
