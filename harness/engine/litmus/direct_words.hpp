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
  ThreadId next_child;    ///< Of those that steps start.
  ThreadId locked_by[2];  ///< 0: nobody.
  alignas(8) int32_t once[2];
  alignas(8) int fresh[2];  ///< What allocate() gives.
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
/// Spurious failures are the engine's to choose, not the memory's.
template <class T>
T weak_cas(Atomic<T>& object, T expected, T desired, Order success, Order failure) {
  return object.compare_exchange(expected, desired, success, failure) == expected;
}
inline int trylock(int which = 0) {
  stage.memory->locked_instruction(stage.thread);
  if (stage.locked_by[which] != 0) return 0;
  stage.locked_by[which] = stage.thread + 1;
  stage.memory->acquire_from(stage.thread, &stage.locked_by[which]);
  return 1;
}
inline void lock(int which = 0) { stage.again = !trylock(which); }
inline void unlock(int which = 0) {
  stage.memory->release_to(stage.thread, &stage.locked_by[which]);
  stage.locked_by[which] = 0;
}
/// All in one step, and so in the next.
inline void once(int which, void (*body)()) {
  if (stage.once[which] != 0) return stage.memory->acquire_from(stage.thread, &stage.once[which]);
  body();
  stage.memory->release_to(stage.thread, &stage.once[which]);
  stage.once[which] = 1;
}
inline void in_child(void (*body)()) {
  const ThreadId parent = stage.thread;
  stage.thread = stage.next_child++;
  stage.memory->start(stage.thread, parent);
  body();
  stage.memory->join(parent, stage.thread);
  stage.thread = parent;
}
inline uintptr_t allocate() {
  stage.memory->allocated(stage.thread, stage.fresh, sizeof stage.fresh, true);
  return reinterpret_cast<uintptr_t>(stage.fresh);
}
inline int read_at(uintptr_t address) {
  stage.memory->read(stage.thread, reinterpret_cast<const int*>(address), sizeof(int), 0);
  return *reinterpret_cast<const int*>(address);
}
inline Atomic<uint32_t>& half(Atomic<uint64_t>& whole, int which) { return *(reinterpret_cast<Atomic<uint32_t>*>(&whole) + which); }

inline Atomic<int> x, y, z;
inline struct Bytes {
  Atomic<uint8_t> x, y;
} bytes;
inline Atomic<uint8_t>&x1 = bytes.x, &y1 = bytes.y;
inline Atomic<uint16_t> x2, y2;
inline Atomic<uint64_t> x8, y8;
inline Atomic<Value> x16, y16;
inline Atomic<uintptr_t> box;
inline Plain data;
inline int r[8];

template <class T>
constexpr T all_of(const Atomic<T>&) { return static_cast<T>(~T{0}); }
template <class T>
constexpr int level(T value) { return value == 0 ? 0 : value == static_cast<T>(~T{0}) ? 1 : 2; }

}  // namespace engine::litmus::direct
