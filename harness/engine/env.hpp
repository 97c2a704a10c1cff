// The system, for code under test: what blocks, sleeps, maps memory, starts threads or asks the clock. Controlled threads get the
// engine's: virtual time, deadlocks that are seen, and faults that the settings allow.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace engine::env {

/// Sleeps while `word` holds `expected`, at most `timeout_ns` (0: no limit); returns also for no reason. Orders nothing: a
/// futex is no fence that one may build on.
void futex_wait(std::atomic<uint32_t>& word, uint32_t expected, uint64_t timeout_ns = 0);
void futex_wake(std::atomic<uint32_t>& word);

/// The waiting of a spin lock whose byte is 0 while nobody holds it: returns once it was seen 0, which may be at once. Held is the lock by
/// whoever wrote the byte last. Threads that wait for each other so are told as a deadlock at once, whatever others do.
void wait_for_lock(const void* byte);

bool membarrier_register();  ///< False: this execution's kernel has none.
void membarrier();

uint64_t now_ns();  ///< Virtual: moves a little with each step, and leaps when all threads wait.
void sleep_ns(uint64_t ns);
void yield();
void cpu_relax();
unsigned cpu();  ///< Where the thread runs now; it may be elsewhere at once.

void* map(size_t bytes);
void unmap(void* memory, size_t bytes);

bool start_thread(void (*body)(), const char* name);
bool on_thread_exit(void (*hook)());

uint32_t process_id();
uint32_t thread_id();              ///< What gettid() gives, too.
bool thread_is_gone(uint32_t id);  ///< Ended, so that none of its steps are to come; then as after a join.

}  // namespace engine::env
