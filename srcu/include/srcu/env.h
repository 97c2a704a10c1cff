/*
 * What the library itself uses wherever it blocks, sleeps, maps memory, starts a thread or asks the clock, for code that
 * is to be tested with it. A checking build of the library puts its own calls in place of the system's: code that goes
 * through these, and not to libc, then runs under the same control: one thread at a time, in an order that can be had
 * again.
 *
 *     while (load_acquire(&ready) == 0)
 *       srcu_env_futex_wait(&ready, 0, 0);
 *
 * Linux, C11 and C++17. Signal-safe unless said otherwise; errno is kept; no cancellation points.
 */
#ifndef SRCU_ENV_H
#define SRCU_ENV_H

#include <srcu/srcu.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sleeps while *word holds `expected`, at most `timeout_ns` (0: no limit). Returns for any reason or none: look again. */
SRCU_API void srcu_env_futex_wait(uint32_t *word, uint32_t expected, uint64_t timeout_ns);

/* Wakes all who sleep on `word`. The word's memory may be gone by now: only its address is used. */
SRCU_API void srcu_env_futex_wake(uint32_t *word);

/* Registers this process for membarrier. Again in a forked child: that it inherits the registration is not promised. False
 * where the kernel refuses. */
SRCU_API bool srcu_env_membarrier_register(void);

/* Every thread of the process has a full fence between call and return: executed for it if it runs meanwhile, by its
 * being scheduled otherwise. Only after the registration succeeded. Tries again, asleep, while the kernel is out of memory;
 * ends the process, with a line that says why, if the kernel refuses after all. */
SRCU_API void srcu_env_membarrier(void);

/* CLOCK_MONOTONIC in nanoseconds. */
SRCU_API uint64_t srcu_env_now_ns(void);

/* Sleeps about `ns` nanoseconds; a signal may cut it short. */
SRCU_API void srcu_env_sleep_ns(uint64_t ns);

/* Gives the CPU to somebody else. */
SRCU_API void srcu_env_yield(void);

/* A pause in a spin loop. */
SRCU_API void srcu_env_cpu_relax(void);

/* `bytes` of zeroed memory, page-aligned, that costs nothing until touched; null if there is none. */
SRCU_API void *srcu_env_map(size_t bytes);
SRCU_API void srcu_env_unmap(void *memory, size_t bytes);

/* Starts a detached thread with all signals blocked; `name` has at most 15 characters. False if the system refuses. Not
 * signal-safe: allocates. */
SRCU_API bool srcu_env_start_thread(void (*body)(void), const char *name);

#ifdef __cplusplus
}
#endif

#endif /* SRCU_ENV_H */
