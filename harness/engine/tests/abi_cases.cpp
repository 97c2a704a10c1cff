// Each call that a compiler may make, made directly: which bytes it is about, and whether it writes. What fails in gcc's code need not be
// called by it at all.
#include <cstring>
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

// What libc does with bytes and strings: "aaaaa" and its end, at 16.
namespace {

constexpr size_t kEnd = 16 + kRange;

void put_strings() {
  for (size_t i = 0; i < kRange; ++i) bytes[16 + i] = source[i] = 'a';
}

}  // namespace

#define STRING_TESTS(name, last, writes, ...)                                                                     \
  ENGINE_TEST(wrong_##name, "A race with the last that it looks at, or writes.") {                                \
    test.init(put_strings).thread([] { __VA_ARGS__; }).thread([] { other_clashes(last, writes); });               \
  }                                                                                                               \
  ENGINE_TEST(name, "No race with what lies beside it.") {                                                        \
    test.init(put_strings).thread([] { __VA_ARGS__; }).thread([] { bytes[15] = bytes[kEnd + 1] = 1; });           \
  }
#define STRING_FUNCTION(result, name, ...) extern "C" result abi_##name(__VA_ARGS__) __asm__(#name);

STRING_FUNCTION(int, memcmp, const void*, const void*, size_t)
STRING_FUNCTION(void*, memchr, const void*, int, size_t)
STRING_FUNCTION(size_t, strlen, const char*)
STRING_FUNCTION(size_t, strnlen, const char*, size_t)
STRING_FUNCTION(int, strcmp, const char*, const char*)
STRING_FUNCTION(int, strncmp, const char*, const char*, size_t)
STRING_FUNCTION(char*, strchr, const char*, int)
STRING_FUNCTION(char*, strrchr, const char*, int)
STRING_FUNCTION(char*, strcpy, char*, const char*)
STRING_FUNCTION(char*, stpcpy, char*, const char*)
STRING_FUNCTION(char*, strcat, char*, const char*)
STRING_FUNCTION(char*, strncpy, char*, const char*, size_t)
STRING_TESTS(memcmp, kEnd - 1, false, abi_memcmp(bytes + 16, source, kRange))
STRING_TESTS(memchr, kEnd - 1, false, abi_memchr(bytes + 16, 'b', kRange))
STRING_TESTS(strlen, kEnd - 1, false, abi_strlen(bytes + 16))
STRING_TESTS(strnlen, kEnd - 1, false, abi_strnlen(bytes + 16, kRange))
STRING_TESTS(strcmp, kEnd - 1, false, abi_strcmp(bytes + 16, source))
STRING_TESTS(strncmp, kEnd - 1, false, abi_strncmp(source, bytes + 16, kRange))
STRING_TESTS(strchr, kEnd - 1, false, abi_strchr(bytes + 16, 'b'))
STRING_TESTS(strchr_found, 16, false, abi_strchr(bytes + 16, 'a'))
STRING_TESTS(strrchr, kEnd - 1, false, abi_strrchr(bytes + 16, 'b'))
STRING_TESTS(strcpy_to, kEnd, true, abi_strcpy(bytes + 16, source))
STRING_TESTS(strcpy_from, kEnd - 1, false, abi_strcpy(source, bytes + 16))
STRING_TESTS(stpcpy, kEnd, true, abi_stpcpy(bytes + 16, source))
STRING_TESTS(strcat, kEnd, true, abi_strcat(bytes + 16, source + kRange))
STRING_TESTS(strncpy, kEnd - 1, true, abi_strncpy(bytes + 16, source, kRange))

#define STOPS_TEST(name, ...)                                                   \
  ENGINE_TEST(name##_stops, "No race with what lies behind the place where it can stop.") { \
    test.init(put_strings).thread([] { __VA_ARGS__; }).thread([] { bytes[18] = 1; });       \
  }
STOPS_TEST(memchr, abi_memchr(bytes + 16, 'a', kRange))
STOPS_TEST(strnlen, abi_strnlen(bytes + 16, 2))
STOPS_TEST(strcmp, abi_strcmp(bytes + 16, "ab"))
STOPS_TEST(strncmp, abi_strncmp(bytes + 16, source, 2))
STOPS_TEST(strchr, abi_strchr(bytes + 16, 'a'))
STOPS_TEST(strncpy, abi_strncpy(source, bytes + 16, 2))

// As people write them, and compilers know them.
ENGINE_TEST(wrong_strcpy_as_written, "A race with what a copy writes.") {
  test.thread([] { strcpy(bytes + 16, "hello"); }).thread([] { seen = bytes[20]; });
}
ENGINE_TEST(wrong_memcmp_as_written, "A race with what a comparison reads.") {
  test.thread([] { seen = memcmp(bytes + 16, source, 16) == 0; }).thread([] { bytes[31] = 1; });
}
ENGINE_TEST(wrong_strcmp_as_written, "The same of strings.") {
  test.init(put_strings).thread([] { seen = strcmp(bytes + 16, "aaaaa") == 0; }).thread([] { bytes[20] = 'b'; });
}

ENGINE_TEST(strings, "They do what they are for.") {
  test.init(put_strings).thread([] {
    check(abi_strlen(bytes + 16) == 5 && abi_strnlen(bytes + 16, 3) == 3, "a length");
    check(abi_strcmp(bytes + 16, source) == 0 && abi_strncmp(source, "aab", 2) == 0 && abi_strcmp(source, "aab") < 0 && abi_memcmp("b", source, 1) > 0, "a comparison");
    check(abi_strchr(source, 'a') == source && abi_strrchr(source, 'a') == source + 4 && !abi_strchr(source, 'b') && abi_strchr(source, 0) == source + 5, "a place");
    check(abi_memchr(source, 0, 9) == source + 5, "a place among bytes");
    check(abi_stpcpy(bytes, "xy") == bytes + 2 && abi_strcat(bytes, "z") == bytes && abi_strcmp(bytes, "xyz") == 0, "a copy");
    check(abi_strcpy(bytes + 4, bytes) == bytes + 4 && abi_strncpy(bytes, "u", 3) == bytes && bytes[2] == 0 && bytes[5] == 'y', "another copy");
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
