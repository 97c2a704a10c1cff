// The words of the shapes in C++ itself, for code that is instrumented.
#pragma once

#include <atomic>
#include <cstdint>

namespace engine::litmus::real {

inline constexpr auto rlx = std::memory_order_relaxed, con = std::memory_order_consume, acq = std::memory_order_acquire,
                      rel = std::memory_order_release, acq_rel = std::memory_order_acq_rel, sc = std::memory_order_seq_cst;

template <class T>
using Atomic = std::atomic<T>;
using Wide = unsigned __int128;

/// What was read. Inlined, or the compiler would not know the orders, and leave the access to a library.
template <class T>
[[gnu::always_inline]] inline T cas(Atomic<T>& object, T expected, T desired, std::memory_order success, std::memory_order failure) {
  object.compare_exchange_strong(expected, desired, success, failure);
  return expected;
}
[[gnu::always_inline]] inline void fence(std::memory_order order) { std::atomic_thread_fence(order); }

template <class T>
[[gnu::always_inline]] inline T weak_cas(Atomic<T>& object, T expected, T desired, std::memory_order success, std::memory_order failure) {
  return object.compare_exchange_weak(expected, desired, success, failure);
}

/// \name What the system offers, as the engine has it
/// @{
void membarrier();
void lock(int which = 0);
int trylock(int which = 0);
void unlock(int which = 0);
void once(int which, void (*body)());
void in_child(void (*body)());  ///< And waits for it.
uintptr_t allocate();
/// @}
inline int read_at(uintptr_t address) { return *reinterpret_cast<const int*>(address); }
inline Atomic<uint32_t>& half(Atomic<uint64_t>& whole, int which) { return *(reinterpret_cast<Atomic<uint32_t>*>(&whole) + which); }

extern Atomic<int> x, y, z;
extern struct Bytes {
  Atomic<uint8_t> x, y;
} bytes;
extern Atomic<uint8_t>&x1, &y1;
extern Atomic<uint16_t> x2, y2;
extern Atomic<uint64_t> x8, y8;
extern Atomic<Wide> x16, y16;
extern Atomic<uintptr_t> box;
extern int data;
extern int r[8];

template <class T>
constexpr T all_of(const Atomic<T>&) { return static_cast<T>(~T{0}); }
template <class T>
constexpr int level(T value) { return value == 0 ? 0 : value == static_cast<T>(~T{0}) ? 1 : 2; }

}  // namespace engine::litmus::real
