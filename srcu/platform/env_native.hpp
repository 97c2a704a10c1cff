// srcu::env on Linux. Signal-safe unless said otherwise; errno is kept; none is a cancellation point.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace srcu::env {

/// Sleeps while `word` holds `expected`, at most `timeout_ns` (0: no limit). Returns for any reason or none: the
/// caller looks again.
void futex_wait(std::atomic<uint32_t>& word, uint32_t expected, uint64_t timeout_ns = 0);

/// Wakes all who sleep on `word`. The word's memory may be gone by now: only its address is used.
void futex_wake(std::atomic<uint32_t>& word);

/// Registers this process for membarrier(); again in a forked child. False where the kernel refuses.
bool membarrier_register();

/// Every thread of the process has a full fence between call and return: executed for it if it runs meanwhile, by its
/// being scheduled otherwise. Only after membarrier_register() was true. Tries again, asleep, while the kernel is out of
/// memory; dies if it refuses.
void membarrier();

/// CLOCK_MONOTONIC in nanoseconds.
uint64_t now_ns();

/// Sleeps about `ns` nanoseconds; a signal may cut it short.
void sleep_ns(uint64_t ns);

/// Gives the CPU to somebody else.
void yield();

/// A pause in a spin loop.
inline void cpu_relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// `bytes` of zeroed memory, page-aligned, that costs nothing until touched; null if there is none.
void* map(size_t bytes);
void unmap(void* memory, size_t bytes);

/// Starts a detached thread with all signals blocked. False if the system refuses. Not signal-safe: allocates.
bool start_thread(void (*body)(), const char* name);

/// Has `hook` called when the calling thread exits. False if that cannot be promised without allocating. One hook a
/// thread.
bool on_thread_exit(void (*hook)());

/// \name Who is there. Others have the id of a thread or a process once it is gone.
/// @{
uint32_t process_id();
uint32_t thread_id();
/// Whether no thread of this process has the id. Whatever one that had it did is seen then, as after a join. False where the
/// system does not say.
bool thread_is_gone(uint32_t id);
/// @}

}  // namespace srcu::env
