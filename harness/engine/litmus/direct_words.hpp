// The words of the shapes, said to a Memory directly: no fibers, no instrumented code. One operation is one step.
#pragma once

#include "harness/engine/memory.hpp"

namespace engine::litmus::direct {

inline constexpr Order rlx = Order::kRelaxed, con = Order::kConsume, acq = Order::kAcquire, rel = Order::kRelease,
                       acq_rel = Order::kAcqRel, sc = Order::kSeqCst;

/// Where the step at hand is made.
struct Stage {
  Memory* memory;
  ThreadId thread;
  bool calls_membarrier;  ///< The step began one.
  bool again;             ///< The step could not be made yet.
  ThreadId locked_by;     ///< 0: nobody.
};
extern Stage stage;

template <class T>
class Atomic {
 public:
  T load(Order order) { return static_cast<T>(stage.memory->load(stage.thread, &value_, sizeof(T), order, 0)); }
  void store(T value, Order order) { stage.memory->store(stage.thread, &value_, sizeof(T), value, order, 0); }
  T exchange(T value, Order order) { return change([](Value, Value now) { return now; }, value, order); }
  T fetch_add(T value, Order order) { return change([](Value old, Value more) { return old + more; }, value, order); }
  T fetch_sub(T value, Order order) { return change([](Value old, Value less) { return old - less; }, value, order); }
  T fetch_or(T value, Order order) { return change([](Value old, Value bits) { return old | bits; }, value, order); }
  T fetch_and(T value, Order order) { return change([](Value old, Value bits) { return old & bits; }, value, order); }
  T fetch_xor(T value, Order order) { return change([](Value old, Value bits) { return old ^ bits; }, value, order); }
  T compare_exchange(T expected, T desired, Order success, Order failure) {
    Value read = expected;
    stage.memory->exchange_if(stage.thread, &value_, sizeof(T), read, desired, success, failure, 0);
    return static_cast<T>(read);
  }
  void reset() { value_ = 0; }

 private:
  T change(Value (*by)(Value, Value), T argument, Order order) {
    return static_cast<T>(stage.memory->modify(stage.thread, &value_, sizeof(T), by, argument, order, 0));
  }
  alignas(sizeof(T)) T value_ = 0;
};

class Plain {
 public:
  operator int() {
    stage.memory->read(stage.thread, &value_, sizeof value_, 0);
    return value_;
  }
  void operator=(int value) {
    stage.memory->write(stage.thread, &value_, sizeof value_, 0);
    value_ = value;
  }
  void reset() { value_ = 0; }

 private:
  int value_ = 0;
};

/// What was read.
template <class T>
T cas(Atomic<T>& object, T expected, T desired, Order success, Order failure) {
  return object.compare_exchange(expected, desired, success, failure);
}
inline void fence(Order order) { stage.memory->fence(stage.thread, order); }
inline void membarrier() {
  stage.memory->membarrier_begin(stage.thread);
  stage.calls_membarrier = true;
}
inline void lock() {
  stage.again = stage.locked_by != 0;
  if (stage.again) return;
  stage.locked_by = stage.thread + 1;
  stage.memory->acquire_from(stage.thread, &stage.locked_by);
}
inline void unlock() {
  stage.memory->release_to(stage.thread, &stage.locked_by);
  stage.locked_by = 0;
}

inline Atomic<int> x, y, z;
inline struct Bytes {
  Atomic<uint8_t> x, y;
} bytes;
inline Atomic<uint8_t>&x1 = bytes.x, &y1 = bytes.y;
inline Atomic<uint16_t> x2, y2;
inline Atomic<uint64_t> x8, y8;
inline Atomic<Value> x16, y16;
inline Plain data;
inline int r[8];

template <class T>
constexpr T all_of(const Atomic<T>&) { return static_cast<T>(~T{0}); }
template <class T>
constexpr int level(T value) { return value == 0 ? 0 : value == static_cast<T>(~T{0}) ? 1 : 2; }

}  // namespace engine::litmus::direct
