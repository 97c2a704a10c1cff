// The C face of srcu::env. Left out: on_thread_exit(), since a thread has one such hook, and it is the library's; and ids.
#include <srcu/env.h>

#include "srcu/platform/env.hpp"

namespace {

std::atomic<uint32_t>& atomic(uint32_t* word) {
  static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free);
  return *reinterpret_cast<std::atomic<uint32_t>*>(word);
}

}  // namespace

extern "C" {

void srcu_env_futex_wait(uint32_t* word, uint32_t expected, uint64_t timeout_ns) {
  srcu::env::futex_wait(atomic(word), expected, timeout_ns);
}
void srcu_env_futex_wake(uint32_t* word) { srcu::env::futex_wake(atomic(word)); }

bool srcu_env_membarrier_register() { return srcu::env::membarrier_register(); }
void srcu_env_membarrier() { srcu::env::membarrier(); }

uint64_t srcu_env_now_ns() { return srcu::env::now_ns(); }
void srcu_env_sleep_ns(uint64_t ns) { srcu::env::sleep_ns(ns); }
void srcu_env_yield() { srcu::env::yield(); }
void srcu_env_cpu_relax() { srcu::env::cpu_relax(); }

void* srcu_env_map(size_t bytes) { return srcu::env::map(bytes); }
void srcu_env_unmap(void* memory, size_t bytes) { srcu::env::unmap(memory, bytes); }

bool srcu_env_start_thread(void (*body)(), const char* name) { return srcu::env::start_thread(body, name); }

}  // extern "C"
