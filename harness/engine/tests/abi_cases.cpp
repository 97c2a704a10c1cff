// Each call that a compiler may make, made directly: which bytes it is about, and whether it writes. What fails in gcc's code need not be
// called by it at all.
#include <string_view>

#include "harness/engine/abi_table.hpp"
#include "harness/engine/test.hpp"

namespace {

using engine::check;
using engine::abi::Word128;

alignas(16) char bytes[64], source[64];
volatile char seen;  // or nobody would read it, and so nobody write it

constexpr size_t kRange = 5;

/// Across the units in which anybody may think.
constexpr size_t offset_of(std::string_view name) { return name.starts_with("unaligned") ? 19 : 16; }

void other_clashes(size_t last, bool writes) {
  if (writes)
    seen = bytes[last];
  else
    bytes[last] = 1;
}

void other_does_not(size_t first, size_t last, bool writes) {
  bytes[first - 1] = bytes[last + 1] = 1;
  if (!writes) seen = bytes[last];
}

}  // namespace

#define ABI_TESTS(name, size, writes, ...)                                                                                    \
  ENGINE_TEST(wrong_##name, "A race with its last byte.") {                                                                   \
    test.thread([] { __VA_ARGS__; }).thread([] { other_clashes(offset_of(#name) + size - 1, writes); });                      \
  }                                                                                                                           \
  ENGINE_TEST(name, "No race with the bytes beside it.") {                                                                    \
    test.thread([] { __VA_ARGS__; });                                                                                         \
    test.thread([] { other_does_not(offset_of(#name), offset_of(#name) + size - 1, writes); });                               \
  }

// Under other names, as compilers have opinions about functions that are called so.
#define ABI_ACCESS(name, size, writes)                              \
  extern "C" void abi_##name(void*) __asm__("__tsan_" #name);       \
  ABI_TESTS(name, size, writes, abi_##name(bytes + offset_of(#name)))
#define ABI_READ_WRITE(name, size) ABI_ACCESS(name, size, true)
ENGINE_ABI_PLAIN(ABI_ACCESS)
ENGINE_ABI_VOLATILE(ABI_ACCESS)
ENGINE_ABI_READ_WRITES(ABI_READ_WRITE)

#define ABI_RANGE(name, writes)                                          \
  extern "C" void abi_##name(void*, size_t) __asm__("__tsan_" #name);    \
  ABI_TESTS(name, kRange, writes, abi_##name(bytes + offset_of(#name), kRange))
ENGINE_ABI_RANGES(ABI_RANGE)

#define ABI_COPY(name)                                                                \
  extern "C" void* abi_##name(void*, const void*, size_t) __asm__("__tsan_" #name);   \
  ABI_TESTS(name##_to, kRange, true, abi_##name(bytes + 16, source, kRange))          \
  ABI_TESTS(name##_from, kRange, false, abi_##name(source, bytes + 16, kRange))
ABI_COPY(memcpy)
ABI_COPY(memmove)
extern "C" void* abi_memset(void*, int, size_t) __asm__("__tsan_memset");
ABI_TESTS(memset, kRange, true, abi_memset(bytes + 16, 0, kRange))

ENGINE_TEST(copies, "They copy.") {
  test.thread([] {
    source[4] = 7;
    check(abi_memcpy(bytes, source, kRange) == bytes && bytes[4] == 7, "memcpy did not");
    check(abi_memmove(bytes + 1, bytes, kRange) == bytes + 1 && bytes[5] == 7, "memmove did not");
    check(abi_memset(bytes, 3, kRange) == bytes && bytes[4] == 3 && bytes[5] == 7, "memset did not");
  });
}

#define ABI_EXCHANGE(bits, type)                                                                                              \
  extern "C" type abi_exchange##bits(volatile type*, type, type, int, int) __asm__("__tsan_atomic" #bits "_compare_exchange_val"); \
  ENGINE_TEST(compare_exchange_val##bits, "It gives what was there, whether or not that was expected.") {                     \
    static type word;                                                                                                         \
    const auto add = [] {                                                                                                     \
      type expected = 0, old;                                                                                                 \
      while ((old = abi_exchange##bits(&word, expected, type(expected + 1), __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) != expected) expected = old; \
    };                                                                                                                        \
    test.thread(add).thread(add).fini([] { check(word == 2, "an addition was lost"); });                                      \
  }
ENGINE_ABI_WIDTHS(ABI_EXCHANGE)
