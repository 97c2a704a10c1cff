// ThreadSanitizer's interface, on real threads: each call makes the access that it stands for, after a point where the
// caller may be made to wait.
#include <cstring>

#include "harness/engine/chaos/native_access.hpp"
#include "harness/engine/chaos/runtime.hpp"

namespace chaos = engine::chaos;

// The caller's place, which must be asked for in the called function itself.
#define POINT() chaos::point(__builtin_return_address(0))

extern "C" {

void __tsan_init() { chaos::note_unit(); }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

#define LOAD_STORE_EXCHANGE_IF(bits, type)                                                                        \
  type __tsan_atomic##bits##_load(const type* at, int order) {                                                    \
    POINT();                                                                                                      \
    return chaos::native::load(at, order);                                                                        \
  }                                                                                                               \
  void __tsan_atomic##bits##_store(type* at, type value, int order) {                                             \
    POINT();                                                                                                      \
    chaos::native::store(at, value, order);                                                                       \
  }                                                                                                               \
  int __tsan_atomic##bits##_compare_exchange_strong(type* at, type* expected, type desired, int order, int fail) { \
    POINT();                                                                                                      \
    return chaos::native::exchange_if(at, *expected, desired, false, chaos::native::joined(order, fail));         \
  }                                                                                                               \
  int __tsan_atomic##bits##_compare_exchange_weak(type* at, type* expected, type desired, int order, int fail) {  \
    POINT();                                                                                                      \
    return chaos::native::exchange_if(at, *expected, desired, true, chaos::native::joined(order, fail));          \
  }                                                                                                               \
  type __tsan_atomic##bits##_compare_exchange_val(type* at, type expected, type desired, int order, int fail) {   \
    POINT();                                                                                                      \
    chaos::native::exchange_if(at, expected, desired, false, chaos::native::joined(order, fail));                 \
    return expected;                                                                                              \
  }
ENGINE_ABI_WIDTHS(LOAD_STORE_EXCHANGE_IF)

#define MODIFY(name, bits, type)                                          \
  type __tsan_atomic##bits##_##name(type* at, type value, int order) {    \
    POINT();                                                              \
    return chaos::native::name(at, value, order);                         \
  }
#define MODIFIES(bits, type) ENGINE_ABI_MODIFIES(MODIFY, bits, type)
ENGINE_ABI_WIDTHS(MODIFIES)

void __tsan_atomic_thread_fence(int order) {
  POINT();
  chaos::native::in_order(order, []<int o>() { __atomic_thread_fence(o); });
}
// A place of its own in code whose accesses no compiler sees.
void __tsan_atomic_signal_fence(int) { POINT(); }

#define PLAIN(name, size, writes) \
  void __tsan_##name(void*) {}
ENGINE_ABI_PLAIN(PLAIN)
#define READ_WRITE(name, size) \
  void __tsan_##name(void*) {}
ENGINE_ABI_READ_WRITES(READ_WRITE)

// What code wrote before there were atomics is meant as one.
#define VOLATILE(name, size, writes) \
  void __tsan_##name(void*) { POINT(); }
ENGINE_ABI_VOLATILE(VOLATILE)

#define RANGE(name, writes) \
  void __tsan_##name(void*, size_t) {}
ENGINE_ABI_RANGES(RANGE)

#define WORD(name) \
  void __tsan_##name(void*) {}
ENGINE_ABI_WORDS(WORD)

void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}

void* __tsan_memcpy(void* to, const void* from, size_t size) { return std::memcpy(to, from, size); }
void* __tsan_memmove(void* to, const void* from, size_t size) { return std::memmove(to, from, size); }
void* __tsan_memset(void* to, int byte, size_t size) { return std::memset(to, byte, size); }

}  // extern "C"
