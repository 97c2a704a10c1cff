// Each call does what its name says, in every width, and nothing to its neighbours.
#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "harness/engine/abi_table.hpp"
#include "harness/engine/chaos/chaos.hpp"

extern "C" {
#define DECLARE(bits, type)                                                             \
  type __tsan_atomic##bits##_load(const type*, int);                                    \
  void __tsan_atomic##bits##_store(type*, type, int);                                   \
  int __tsan_atomic##bits##_compare_exchange_strong(type*, type*, type, int, int);      \
  int __tsan_atomic##bits##_compare_exchange_weak(type*, type*, type, int, int);        \
  type __tsan_atomic##bits##_compare_exchange_val(type*, type, type, int, int);
ENGINE_ABI_WIDTHS(DECLARE)
#define DECLARE_MODIFY(name, bits, type) type __tsan_atomic##bits##_##name(type*, type, int);
#define DECLARE_MODIFIES(bits, type) ENGINE_ABI_MODIFIES(DECLARE_MODIFY, bits, type)
ENGINE_ABI_WIDTHS(DECLARE_MODIFIES)
#define DECLARE_FENCE(name) void __tsan_atomic_##name(int);
ENGINE_ABI_FENCES(DECLARE_FENCE)
#define DECLARE_PLAIN(name, size, writes) void __tsan_##name(void*);
ENGINE_ABI_PLAIN(DECLARE_PLAIN)
ENGINE_ABI_VOLATILE(DECLARE_PLAIN)
#define DECLARE_RANGE(name, writes) void __tsan_##name(void*, size_t);
ENGINE_ABI_RANGES(DECLARE_RANGE)
#define DECLARE_WORD(name) void __tsan_##name(void*);
ENGINE_ABI_WORDS(DECLARE_WORD)
void* __tsan_memcpy(void*, const void*, size_t);
void* __tsan_memmove(void*, const void*, size_t);
void* __tsan_memset(void*, int, size_t);
}

int add_for_test();

namespace engine::chaos {
namespace {

template <int bits>
struct Calls;
#define CALLS(bits, type)                                                                        \
  template <>                                                                                    \
  struct Calls<bits> {                                                                           \
    using T = type;                                                                              \
    static constexpr auto load = __tsan_atomic##bits##_load;                                     \
    static constexpr auto store = __tsan_atomic##bits##_store;                                   \
    static constexpr auto strong = __tsan_atomic##bits##_compare_exchange_strong;                \
    static constexpr auto weak = __tsan_atomic##bits##_compare_exchange_weak;                    \
    static constexpr auto val = __tsan_atomic##bits##_compare_exchange_val;                      \
    static constexpr auto exchange = __tsan_atomic##bits##_exchange;                             \
    static constexpr auto add = __tsan_atomic##bits##_fetch_add;                                 \
    static constexpr auto sub = __tsan_atomic##bits##_fetch_sub;                                 \
    static constexpr auto bit_and = __tsan_atomic##bits##_fetch_and;                             \
    static constexpr auto bit_or = __tsan_atomic##bits##_fetch_or;                               \
    static constexpr auto bit_xor = __tsan_atomic##bits##_fetch_xor;                             \
    static constexpr auto bit_nand = __tsan_atomic##bits##_fetch_nand;                           \
  };
ENGINE_ABI_WIDTHS(CALLS)

constexpr std::array kOrders = {__ATOMIC_RELAXED, __ATOMIC_CONSUME, __ATOMIC_ACQUIRE,
                                __ATOMIC_RELEASE, __ATOMIC_ACQ_REL, __ATOMIC_SEQ_CST};

/// Different in every byte.
template <class T>
T bytes(unsigned from) {
  T value = 0;
  for (unsigned i = 0; i < sizeof(T); ++i) value |= static_cast<T>(static_cast<T>(from + 7 * i) << (8 * i));
  return value;
}

template <class C>
class Abi : public testing::Test {
 protected:
  using T = typename C::T;

  /// Sets the middle one, lets `call` do to it, and expects what it returns, what stands there then, and the rest as it was.
  template <class Call>
  void expect(T before, T returned, T after, Call&& call) {
    for (const int order : kOrders) {
      place = {bytes<T>(200), before, bytes<T>(100)};
      EXPECT_TRUE(call(&place[1], order) == returned) << "order " << order;
      EXPECT_TRUE(place[1] == after) << "order " << order;
      EXPECT_TRUE(place[0] == bytes<T>(200) && place[2] == bytes<T>(100)) << "order " << order;
    }
  }

  std::array<T, 3> place;
  const T a = bytes<T>(3), b = bytes<T>(90);
};
using Widths = testing::Types<Calls<8>, Calls<16>, Calls<32>, Calls<64>, Calls<128>>;
TYPED_TEST_SUITE(Abi, Widths);

#define EACH_WIDTH            \
  using C = TypeParam;        \
  using T = typename C::T;    \
  const T a = this->a, b = this->b;

TYPED_TEST(Abi, LoadsAndStores) {
  EACH_WIDTH
  this->expect(a, a, a, [](T* at, int order) { return C::load(at, order); });
  this->expect(a, 0, b, [b](T* at, int order) {
    C::store(at, b, order);
    return T{0};
  });
}

TYPED_TEST(Abi, Modifies) {
  EACH_WIDTH
  this->expect(a, a, b, [b](T* at, int order) { return C::exchange(at, b, order); });
  this->expect(a, a, static_cast<T>(a + b), [b](T* at, int order) { return C::add(at, b, order); });
  this->expect(a, a, static_cast<T>(a - b), [b](T* at, int order) { return C::sub(at, b, order); });
  this->expect(a, a, static_cast<T>(a & b), [b](T* at, int order) { return C::bit_and(at, b, order); });
  this->expect(a, a, static_cast<T>(a | b), [b](T* at, int order) { return C::bit_or(at, b, order); });
  this->expect(a, a, static_cast<T>(a ^ b), [b](T* at, int order) { return C::bit_xor(at, b, order); });
  this->expect(a, a, static_cast<T>(~(a & b)), [b](T* at, int order) { return C::bit_nand(at, b, order); });
}

TYPED_TEST(Abi, ComparesAndExchanges) {
  EACH_WIDTH
  for (const int fail : {__ATOMIC_RELAXED, __ATOMIC_ACQUIRE, __ATOMIC_SEQ_CST}) {
    T expected = a;
    const auto strong = [&](T* at, int order) { return static_cast<T>(C::strong(at, &expected, b, order, fail)); };
    this->expect(a, 1, b, strong);
    EXPECT_TRUE(expected == a) << "success leaves it";
    this->expect(b, 0, b, [&](T* at, int order) {
      expected = a;
      const T same = strong(at, order);
      EXPECT_TRUE(expected == b) << "failure says what was there";
      return same;
    });
    this->expect(b, 0, b, [&](T* at, int order) {
      expected = a;
      return static_cast<T>(C::weak(at, &expected, a, order, fail));
    });
    EXPECT_TRUE(expected == b);
    expected = a;
    this->expect(a, 1, b, [&](T* at, int order) {
      int same = 0;
      while (!same && *at == a) same = C::weak(at, &expected, b, order, fail);
      return static_cast<T>(same);
    });
    this->expect(a, a, b, [&](T* at, int order) { return C::val(at, a, b, order, fail); });
    this->expect(b, b, b, [&](T* at, int order) { return C::val(at, a, a, order, fail); });
  }
}

TYPED_TEST(Abi, IsAtomic) {
  EACH_WIDTH
  static_cast<void>(a), static_cast<void>(b);
  constexpr unsigned kTimes = 50'000;
  const T step = bytes<T>(1);  // in all bytes at once
  this->place = {0, 0, 0};
  std::atomic<int> there{0};
  const auto body = [this, step, &there] {
    there.fetch_add(1, std::memory_order_relaxed);
    while (there.load(std::memory_order_relaxed) < 2) sched_yield();  // or one may be done before the other begins
    for (unsigned i = 0; i < kTimes; ++i) {
      C::add(&this->place[1], step, __ATOMIC_RELAXED);
      T seen = C::load(&this->place[2], __ATOMIC_RELAXED);
      while (!C::weak(&this->place[2], &seen, static_cast<T>(seen + step), __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
      }
    }
  };
  std::thread other(body);
  body();
  other.join();
  EXPECT_TRUE(this->place[1] == static_cast<T>(step * static_cast<T>(2 * kTimes)));
  EXPECT_TRUE(this->place[2] == this->place[1]);
}

TEST(AbiNames, AreAllThereAndTheRestDoNothing) {
  unsigned char object[40] = {};
  for (const int order : kOrders) {
#define FENCE(name) __tsan_atomic_##name(order);
    ENGINE_ABI_FENCES(FENCE)
  }
#define ACCESS(name, size, writes) __tsan_##name(object);
  ENGINE_ABI_PLAIN(ACCESS)
  ENGINE_ABI_VOLATILE(ACCESS)
#define RANGE(name, writes) __tsan_##name(object, sizeof object);
  ENGINE_ABI_RANGES(RANGE)
#define WORD(name) __tsan_##name(object);
  ENGINE_ABI_WORDS(WORD)
  for (const unsigned char byte : object) EXPECT_EQ(byte, 0);
  __tsan_memset(object, 5, 4);
  __tsan_memcpy(object + 10, object, 3);
  __tsan_memmove(object + 1, object, 4);
  EXPECT_EQ(object[4] + object[12], 10);
}

TEST(AbiNames, AreWhatTheCompilerCalls) {
  const int before = add_for_test();
  EXPECT_EQ(add_for_test(), before + 1);
  EXPECT_EQ(units(), 1u) << "it said that it was compiled for this";
}

}  // namespace
}  // namespace engine::chaos
