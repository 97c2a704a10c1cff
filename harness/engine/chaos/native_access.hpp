// Atomic accesses of any width in the order that a number names at run time, as the machine has them: a weaker order must
// stay weaker, or bugs would be hidden.
#pragma once

#include "harness/engine/abi_table.hpp"

namespace engine::chaos::native {

template <class T>
inline constexpr bool kWide = sizeof(T) == 16;

/// The order that the caller named; what it cannot name of this operation becomes `otherwise`.
template <class F>
auto in_order(int order, F&& f) {
  switch (order & abi::kOrderBits) {
    case __ATOMIC_RELAXED:
      return f.template operator()<__ATOMIC_RELAXED>();
    case __ATOMIC_CONSUME:
    case __ATOMIC_ACQUIRE:
      return f.template operator()<__ATOMIC_ACQUIRE>();
    case __ATOMIC_RELEASE:
      return f.template operator()<__ATOMIC_RELEASE>();
    case __ATOMIC_ACQ_REL:
      return f.template operator()<__ATOMIC_ACQ_REL>();
    default:
      return f.template operator()<__ATOMIC_SEQ_CST>();
  }
}

/// Two words at once: there is one instruction for it, and it is a full fence.
template <class T>
T wide_exchange_if(T* at, T expected, T desired) {
  return __sync_val_compare_and_swap(at, expected, desired);
}

template <class T, class Change>
T wide_modify(T* at, Change&& change) {
  T old = wide_exchange_if<T>(at, 0, 0);
  for (;;) {
    const T found = wide_exchange_if<T>(at, old, change(old));
    if (found == old) return old;
    old = found;
  }
}

template <class T>
T load(const T* at, int order) {
  if constexpr (kWide<T>) return wide_exchange_if<T>(const_cast<T*>(at), 0, 0);
  return in_order(order, [at]<int o>() {
    constexpr bool release = o == __ATOMIC_RELEASE || o == __ATOMIC_ACQ_REL;  // no load's
    return __atomic_load_n(at, release ? __ATOMIC_SEQ_CST : o);
  });
}

template <class T>
void store(T* at, T value, int order) {
  if constexpr (kWide<T>) {
    wide_modify(at, [value](T) { return value; });
  } else {
    in_order(order, [at, value]<int o>() {
      constexpr bool acquire = o == __ATOMIC_ACQUIRE || o == __ATOMIC_ACQ_REL;  // no store's
      __atomic_store_n(at, value, acquire ? __ATOMIC_SEQ_CST : o);
    });
  }
}

// name(T*, T, order) -> the old value; `changed`: the new one.
#define ENGINE_NATIVE_MODIFY(name, builtin, changed)                                      \
  template <class T>                                                                      \
  T name(T* at, T value, int order) {                                                     \
    if constexpr (kWide<T>) return wide_modify(at, [value](T old) -> T { return changed; }); \
    return in_order(order, [at, value]<int o>() { return builtin(at, value, o); });       \
  }
ENGINE_NATIVE_MODIFY(exchange, __atomic_exchange_n, (static_cast<void>(old), value))
ENGINE_NATIVE_MODIFY(fetch_add, __atomic_fetch_add, old + value)
ENGINE_NATIVE_MODIFY(fetch_sub, __atomic_fetch_sub, old - value)
ENGINE_NATIVE_MODIFY(fetch_and, __atomic_fetch_and, old & value)
ENGINE_NATIVE_MODIFY(fetch_or, __atomic_fetch_or, old | value)
ENGINE_NATIVE_MODIFY(fetch_xor, __atomic_fetch_xor, old ^ value)
ENGINE_NATIVE_MODIFY(fetch_nand, __atomic_fetch_nand, ~(old & value))
#undef ENGINE_NATIVE_MODIFY

/// True if it held `expected`, which otherwise becomes what it held. Failure's order is never above success's here.
template <class T>
bool exchange_if(T* at, T& expected, T desired, bool weak, int order) {
  if constexpr (kWide<T>) {
    const T found = wide_exchange_if(at, expected, desired);
    const bool same = found == expected;
    expected = found;
    return same;
  } else {
    return in_order(order, [&, at, desired]<int o>() {
      constexpr int failed = o == __ATOMIC_RELEASE ? __ATOMIC_RELAXED : o == __ATOMIC_ACQ_REL ? __ATOMIC_ACQUIRE : o;
      return weak ? __atomic_compare_exchange_n(at, &expected, desired, true, o, failed)
                  : __atomic_compare_exchange_n(at, &expected, desired, false, o, failed);
    });
  }
}

/// One order for both outcomes of a compare-exchange: not weaker than either.
inline int joined(int success, int failure) {
  success &= abi::kOrderBits;
  failure &= abi::kOrderBits;
  if (success == __ATOMIC_SEQ_CST || failure == __ATOMIC_SEQ_CST) return __ATOMIC_SEQ_CST;
  if (failure == __ATOMIC_RELAXED) return success;
  return success == __ATOMIC_RELEASE || success == __ATOMIC_ACQ_REL ? __ATOMIC_ACQ_REL : __ATOMIC_ACQUIRE;
}

}  // namespace engine::chaos::native
