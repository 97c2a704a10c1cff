// What a compiler calls instead of, or ahead of, memory accesses under -fsanitize=thread: every operation once, for
// whoever stands in ThreadSanitizer's place. The functions' names are __tsan_ and what stands here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine::abi {

__extension__ using Word128 = unsigned __int128;

/// Orders come as numbers, as __ATOMIC_RELAXED and its kin; above these bits compilers put hints.
inline constexpr int kOrderBits = 7;

}  // namespace engine::abi

/// X(bits, type): atomicN_load(const T*, order), atomicN_store(T*, T, order), atomicN_compare_exchange_strong and _weak
/// (T*, T* expected, T desired, order, failure order) -> int, atomicN_compare_exchange_val (the same with T expected) -> T.
#define ENGINE_ABI_WIDTHS(X) \
  X(8, uint8_t)              \
  X(16, uint16_t)            \
  X(32, uint32_t)            \
  X(64, uint64_t)            \
  X(128, ::engine::abi::Word128)

/// X(name, bits, type): atomicN_name(T*, T, order) -> the old value.
#define ENGINE_ABI_MODIFIES(X, bits, type)                                                         \
  X(exchange, bits, type)                                                                          \
  X(fetch_add, bits, type)                                                                         \
  X(fetch_sub, bits, type) X(fetch_and, bits, type) X(fetch_or, bits, type) X(fetch_xor, bits, type) \
      X(fetch_nand, bits, type)

/// X(name): atomic_name(order).
#define ENGINE_ABI_FENCES(X) X(thread_fence) X(signal_fence)

/// X(name, size, writes): name(address), ahead of a plain access.
#define ENGINE_ABI_PLAIN(X)                                                                        \
  X(read1, 1, false)                                                                               \
  X(read2, 2, false)                                                                               \
  X(read4, 4, false)                                                                               \
  X(read8, 8, false)                                                                               \
  X(read16, 16, false)                                                                             \
  X(write1, 1, true) X(write2, 2, true) X(write4, 4, true) X(write8, 8, true) X(write16, 16, true) \
  X(unaligned_read2, 2, false) X(unaligned_read4, 4, false) X(unaligned_read8, 8, false)           \
  X(unaligned_read16, 16, false) X(unaligned_write2, 2, true) X(unaligned_write4, 4, true)         \
  X(unaligned_write8, 8, true) X(unaligned_write16, 16, true)

/// X(name, size): name(address), ahead of a plain access that reads, then writes.
#define ENGINE_ABI_READ_WRITES(X)                                                                  \
  X(read_write1, 1)                                                                                \
  X(read_write2, 2)                                                                                \
  X(read_write4, 4) X(read_write8, 8) X(read_write16, 16) X(unaligned_read_write2, 2)              \
  X(unaligned_read_write4, 4) X(unaligned_read_write8, 8) X(unaligned_read_write16, 16)

/// The same of accesses to volatile objects, with tsan-distinguish-volatile.
#define ENGINE_ABI_VOLATILE(X)                                                                     \
  X(volatile_read1, 1, false)                                                                      \
  X(volatile_read2, 2, false)                                                                      \
  X(volatile_read4, 4, false)                                                                      \
  X(volatile_read8, 8, false)                                                                      \
  X(volatile_read16, 16, false)                                                                    \
  X(volatile_write1, 1, true) X(volatile_write2, 2, true) X(volatile_write4, 4, true)              \
  X(volatile_write8, 8, true) X(volatile_write16, 16, true)                                        \
  X(unaligned_volatile_read2, 2, false) X(unaligned_volatile_read4, 4, false)                      \
  X(unaligned_volatile_read8, 8, false) X(unaligned_volatile_read16, 16, false)                    \
  X(unaligned_volatile_write2, 2, true) X(unaligned_volatile_write4, 4, true)                      \
  X(unaligned_volatile_write8, 8, true) X(unaligned_volatile_write16, 16, true)

/// X(name, writes): name(address, size).
#define ENGINE_ABI_RANGES(X) X(read_range, false) X(write_range, true)

/// X(name): name(object); what people who know that they are watched say themselves.
#define ENGINE_ABI_WORDS(X) X(acquire) X(release)
