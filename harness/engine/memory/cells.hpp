// What is remembered of memory: aligned cells of 8 bytes, and the objects that they belong to.
#pragma once

#include "harness/engine/memory/location.hpp"

namespace engine::memory {

inline constexpr uintptr_t kCell = 8;

/// A plain access to bytes of a cell.
struct Trace {
  uintptr_t pc;
  Epoch epoch;
  uint8_t thread, mask;
  bool write;
};

struct Cell;

/// An allocation, which counts as a write to the whole object: who comes without an order behind it may find what was there before.
struct Birth {
  uintptr_t pc = 0;
  Epoch epoch = 0;  ///< 0: before anything began.
  ThreadId thread = 0;
  bool zeroed = true;
};

/// Something that was allocated, from its first byte to before its end.
struct Object {
  uintptr_t begin, end;
  Birth birth;
  bool freed;
  Access freed_by;
  Growing<Cell*> cells;  ///< Those that were touched.

  bool overlaps(uintptr_t from, uintptr_t to) const { return begin < to && from < end; }
};

/// What the last release_to() of an object left for whoever acquires from it.
struct Handed {
  uintptr_t object;
  const View* view;
};

struct Cell {
  uintptr_t address;
  Growing<Object*> objects;  ///< None for memory that nobody allocated: it was there from the beginning.
  Growing<Handed> handed;
  Growing<Location*> locations;
  Growing<Trace> traces;
  uint8_t unwritten = 0;  ///< Bytes that nobody wrote since they were allocated.
  uint8_t freed = 0;
};

/// The bytes of the cell at `cell` that lie in [begin, end), a bit each.
inline uint8_t bytes_of(uintptr_t cell, uintptr_t begin, uintptr_t end) {
  const uintptr_t from = begin > cell ? begin - cell : 0, to = end < cell + kCell ? end - cell : kCell;
  return static_cast<uint8_t>((0xffu << from) & (0xffu >> (kCell - to)));
}

class Cells {
 public:
  explicit Cells(Arena& arena) : arena_(arena) { map(1u << 12); }
  ~Cells() { unmap(); }
  Cells(const Cells&) = delete;
  Cells& operator=(const Cells&) = delete;

  /// After the arena was reset.
  void clear();

  /// The one that holds the byte at `address`.
  Cell& at(uintptr_t address) {
    const uintptr_t cell = address & ~(kCell - 1);
    Slot& slot = find(cell);
    return slot.generation == generation_ ? *slot.cell : make(cell);
  }

  /// Null if there is none.
  Object* object_of(uintptr_t address) const;
  /// Takes the place of whatever is known of this memory.
  void allocate(uintptr_t begin, uintptr_t end, const Birth&);
  /// Something allocated before anything began; what is known of it stays.
  Object& adopt(uintptr_t begin, uintptr_t end);

 private:
  struct Slot {
    uintptr_t address;
    Cell* cell;
    uint64_t generation;
  };

  Slot& find(uintptr_t cell) {
    size_t i = (cell * 0x9e3779b97f4a7c15u) >> shift_;
    while (slots_[i].generation == generation_ && slots_[i].address != cell) i = (i + 1) & mask_;
    return slots_[i];
  }

  Cell& make(uintptr_t cell);
  void grow();
  void map(size_t slots);
  void unmap();
  void belong(Cell&, Object*);
  static void forget(Cell&, uintptr_t begin, uintptr_t end);
  Object& insert(uintptr_t begin, uintptr_t end, const Birth&);
  template <class F>
  void each_touched(uintptr_t begin, uintptr_t end, F);

  Arena& arena_;
  Slot* slots_ = nullptr;
  size_t mask_ = 0;
  int shift_ = 0;
  uint64_t generation_ = 1;
  Growing<Cell*> all_;
  Growing<Object*> objects_;  ///< By address; they do not overlap.
};

}  // namespace engine::memory
