// What a compiler emits for atomic accesses with -fsanitize=thread: for code under test, a step of its thread; natively, the access itself.
#include "harness/engine/abi_table.hpp"
#include "harness/engine/crash.hpp"
#include "harness/engine/renew.hpp"
#include "harness/engine/run.hpp"

namespace engine {
namespace {

Order order_of(int mo) { return static_cast<Order>(mo & abi::kOrderBits); }  // above are hints for hardware lock elision

Step step_of(Kind kind, const volatile void* address, unsigned size, int mo, uintptr_t pc) {
  return {kind, order_of(mo), size, reinterpret_cast<uintptr_t>(address), pc};
}

void* plain(const volatile void* address) { return const_cast<void*>(address); }

/// Outside of executions code under test runs in one thread: a plain change will do, also where the machine has no atomic one.
template <class T>
T modify_natively(volatile T* address, Value (*change)(Value, Value), T argument) {
  const T old = *address;
  *address = static_cast<T>(change(old, argument));
  return old;
}

template <class T>
T load(const volatile T* address, int mo, uintptr_t pc) {
  Inside in;
  if (!in) return *address;
  must_be_readable(address, sizeof(T), pc);
  in->point(step_of(Kind::kLoad, address, sizeof(T), mo, pc));
  will_read(reinterpret_cast<uintptr_t>(address));
  const Value value = in->memory().load(in->self(), plain(address), sizeof(T), order_of(mo), pc);
  in->did(value, 0);
  return static_cast<T>(value);
}

template <class T>
void store(volatile T* address, T value, int mo, uintptr_t pc) {
  Inside in;
  if (!in) {
    *address = value;
    return;
  }
  must_be_writable(address, sizeof(T), pc);
  in->point(step_of(Kind::kStore, address, sizeof(T), mo, pc));
  will_write(reinterpret_cast<uintptr_t>(address), sizeof(T));
  in->memory().store(in->self(), plain(address), sizeof(T), value, order_of(mo), pc);
  in->did(0, value);
}

template <class T>
T modify(volatile T* address, Value (*change)(Value, Value), T argument, int mo, uintptr_t pc) {
  Inside in;
  if (!in) return modify_natively(address, change, argument);
  must_be_writable(address, sizeof(T), pc);
  in->point(step_of(Kind::kModify, address, sizeof(T), mo, pc));
  will_write(reinterpret_cast<uintptr_t>(address), sizeof(T));
  const Value old = in->memory().modify(in->self(), plain(address), sizeof(T), change, argument, order_of(mo), pc);
  in->did(old, static_cast<T>(change(old, argument)));
  return static_cast<T>(old);
}

template <class T>
bool exchange_if(volatile T* address, T* expected, T desired, bool weak, int success, int failure, uintptr_t pc) {
  Inside in;
  if (!in) {
    const T old = *address;
    const bool equal = old == *expected;
    *(equal ? const_cast<T*>(address) : expected) = equal ? desired : old;
    return equal;
  }
  must_be_writable(address, sizeof(T), pc);
  must_be_writable(expected, sizeof(T), pc);
  in->point(step_of(Kind::kExchangeIf, address, sizeof(T), success, pc));
  will_write(reinterpret_cast<uintptr_t>(address), sizeof(T));
  Value compared = *expected;
  bool done = false;
  // A weak one may fail for no reason: then it is a load. x86 has none.
  if (weak && !has_buffers(in->settings().model) && in->fault(kSpuriousWake))
    compared = in->memory().load(in->self(), plain(address), sizeof(T), order_of(failure), pc);
  else
    done = in->memory().exchange_if(in->self(), plain(address), sizeof(T), compared, desired, order_of(success), order_of(failure), pc);
  *expected = static_cast<T>(compared);
  in->did(compared, desired, done);
  return done;
}

void fence(int mo, uintptr_t pc) {
  Inside in;
  if (!in) return __atomic_thread_fence(__ATOMIC_SEQ_CST);
  in->point({Kind::kFence, order_of(mo), 0, 0, pc});
  in->memory().fence(in->self(), order_of(mo));
  in->did(0, 0);
}

// By the calls' names.
Value change_exchange(Value, Value argument) { return argument; }
Value change_fetch_add(Value old, Value argument) { return old + argument; }
Value change_fetch_sub(Value old, Value argument) { return old - argument; }
Value change_fetch_and(Value old, Value argument) { return old & argument; }
Value change_fetch_or(Value old, Value argument) { return old | argument; }
Value change_fetch_xor(Value old, Value argument) { return old ^ argument; }
Value change_fetch_nand(Value old, Value argument) { return ~(old & argument); }

}  // namespace
}  // namespace engine

#define ENGINE_MODIFY(name, bits, type)                                                       \
  type __tsan_atomic##bits##_##name(volatile type* address, type argument, int mo) {          \
    return engine::modify<type>(address, engine::change_##name, argument, mo, ENGINE_CALLER); \
  }

#define ENGINE_ATOMIC(bits, type)                                                                                              \
  type __tsan_atomic##bits##_load(const volatile type* address, int mo) { return engine::load(address, mo, ENGINE_CALLER); }   \
  void __tsan_atomic##bits##_store(volatile type* address, type value, int mo) {                                               \
    engine::store(address, value, mo, ENGINE_CALLER);                                                                          \
  }                                                                                                                            \
  ENGINE_ABI_MODIFIES(ENGINE_MODIFY, bits, type)                                                                               \
  bool __tsan_atomic##bits##_compare_exchange_strong(volatile type* address, type* expected, type desired, int mo, int fail) { \
    return engine::exchange_if(address, expected, desired, false, mo, fail, ENGINE_CALLER);                                    \
  }                                                                                                                            \
  bool __tsan_atomic##bits##_compare_exchange_weak(volatile type* address, type* expected, type desired, int mo, int fail) {   \
    return engine::exchange_if(address, expected, desired, true, mo, fail, ENGINE_CALLER);                                     \
  }                                                                                                                            \
  type __tsan_atomic##bits##_compare_exchange_val(volatile type* address, type expected, type desired, int mo, int fail) {     \
    engine::exchange_if(address, &expected, desired, false, mo, fail, ENGINE_CALLER);                                          \
    return expected;                                                                                                           \
  }

extern "C" {
ENGINE_ABI_WIDTHS(ENGINE_ATOMIC)

void __tsan_atomic_thread_fence(int mo) { engine::fence(mo, ENGINE_CALLER); }
void __tsan_atomic_signal_fence(int) {}  // orders nothing between threads, and handlers run at whole steps
}
