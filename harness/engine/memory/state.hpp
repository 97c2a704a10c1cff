// What a Memory holds. The rules stand in accesses.cpp (what every access is checked for), atomics.cpp, fences.cpp,
// objects.cpp, threads.cpp and store_buffer.cpp.
#pragma once

#include "harness/engine/memory/cells.hpp"

namespace engine::memory {

/// A store that its own thread alone can see yet.
struct Buffered {
  Location* location;
  Store store;
};

struct Thread {
  WideView now;      ///< What happened before its next operation.
  WideView pending;  ///< What relaxed loads have read and an acquire fence would bring ([atomics.fences]/4).
  const View* released = nullptr;  ///< What a relaxed store hands on: `now` at the last release fence ([atomics.fences]/2, /3).
  Growing<Buffered> buffer;        ///< From `flushed` on.
  uint32_t flushed = 0;
  const View* called = nullptr;  ///< In a membarrier: what its targets learn ...
  WideView gathered;             ///< ... and what they knew.
  uint64_t fenced = 0;           ///< Those that had their fence, a bit each.
};

}  // namespace engine::memory

namespace engine {

using namespace memory;  // NOLINT: of what includes this, all is the memory's

inline bool acquires(Order order) { return order != Order::kRelaxed && order != Order::kRelease; }
inline bool releases(Order order) { return order >= Order::kRelease; }

inline Value truncated(Value value, unsigned size) {
  return size == sizeof(Value) ? value : value & ((Value{1} << (8 * size)) - 1);
}

struct Memory::State {
  State(Execution& to, Model m) : execution(to), cells(arena) { begin(m); }

  void begin(Model);
  void introduce(ThreadId);

  Thread& thread(ThreadId id) { return threads[id]; }
  Epoch epoch(ThreadId id) const { return threads[id].now.of[id].happened; }
  bool before(ThreadId from, Epoch at, ThreadId to) const { return at <= threads[to].now.happened(from); }
  /// What the thread knows, as others may learn it from now on; what it does next is not in it.
  const View* publish(ThreadId);

  /// \name accesses.cpp
  /// @{
  Location& touch(const Access&, bool loads);
  void check_atomic(const Access&, Cell&, const Location* self);
  void check_plain(const Access&, Cell&, uint8_t mask);
  void check_visitors(const Access&, const Location&);
  void race(const Access& now, const Access& then);
  bool check_freed(const Access&, const Cell&, uint8_t mask);
  /// @}

  /// \name atomics.cpp
  /// @{
  void refresh(Location&);
  uint32_t oldest(ThreadId, const Location&, Order);
  uint32_t chosen(const Location&, uint32_t oldest);
  uint32_t other_than(Value, const Location&, uint32_t oldest);
  void observe(ThreadId, Location&, uint32_t store, Order);
  uint32_t append(ThreadId, Location&, Value, const View* message);
  void commit(ThreadId, Location&, Value, Order, const View* sequence);
  /// @}

  void sc_fence(ThreadId);
  void drain(ThreadId);
  const Buffered* forwarded(ThreadId, const Location*) const;
  bool buffers(ThreadId, uintptr_t begin, uintptr_t end) const;
  void plain(Access, const void* address, size_t size);

  Execution& execution;
  Model model = Model::kCpp;
  Arena arena;
  Cells cells;
  bool raced = false;  ///< The access at hand.
  unsigned count = 0;  ///< Threads so far.
  WideView fences;     ///< What seq_cst fences saw so far: only `seen` counts.
  Epoch sc = 1;        ///< The order S: seq_cst accesses carry the number of the fence that comes next.
  Thread threads[kMaxThreads];
};

}  // namespace engine
