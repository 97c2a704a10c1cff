#include "harness/engine/memory/cells.hpp"

#include <sys/mman.h>

#include <bit>

namespace engine::memory {

void Cells::map(size_t slots) {
  slots_ = static_cast<Slot*>(map_pages(slots * sizeof(Slot)));
  mask_ = slots - 1;
  shift_ = 64 - std::countr_zero(slots);
}

void Cells::unmap() { munmap(slots_, (mask_ + 1) * sizeof(Slot)); }

void Cells::clear() {
  ++generation_;
  all_ = {};
  objects_ = {};
}

void Cells::grow() {
  const size_t slots = 2 * (mask_ + 1);
  unmap();
  map(slots);
  for (Cell* cell : all_) find(cell->address) = {cell->address, cell, generation_};
}

Cell& Cells::make(uintptr_t address) {
  if (2 * all_.size() > mask_) grow();
  Cell* cell = arena_.make<Cell>();
  cell->address = address;
  belong(arena_, *cell, object_of(address));
  find(address) = {address, cell, generation_};
  all_.push(arena_, cell);
  return *cell;
}

void Cells::belong(Arena& arena, Cell& cell, Object* object) {
  cell.object = object;
  if (!object) return;
  cell.unwritten = object->zeroed ? 0 : 0xff;
  object->cells.push(arena, &cell);
}

Object* Cells::object_of(uintptr_t address) const {
  auto* after = std::upper_bound(objects_.begin(), objects_.end(), address, [](uintptr_t a, const Object* o) { return a < o->begin; });
  if (after == objects_.begin()) return nullptr;
  Object* object = after[-1];
  return address < object->end ? object : nullptr;
}

Object& Cells::insert(uintptr_t begin, uintptr_t end, bool zeroed) {
  uint32_t at = objects_.size();
  while (at > 0 && objects_[at - 1]->begin >= begin) --at;
  uint32_t to = at, from = at > 0 && objects_[at - 1]->end > begin ? at - 1 : at;
  while (to < objects_.size() && objects_[to]->begin < end) ++to;
  objects_.erase(from, to);
  Object* object = arena_.make<Object>();
  *object = {begin, end, zeroed, false, {}, {}};
  objects_.insert(arena_, from, object);
  return *object;
}

/// In an order that no address decides.
template <class F>
void Cells::each_touched(uintptr_t begin, uintptr_t end, F visit) {
  begin &= ~(kCell - 1);
  if ((end - begin) / kCell > all_.size()) {
    for (Cell* cell : all_)
      if (cell->address >= begin && cell->address < end) visit(*cell);
    return;
  }
  for (uintptr_t address = begin; address < end; address += kCell)
    if (Slot& slot = find(address); slot.generation == generation_) visit(*slot.cell);
}

void Cells::allocate(uintptr_t begin, uintptr_t end, bool zeroed) {
  Object& object = insert(begin, end, zeroed);
  each_touched(begin, end, [&](Cell& cell) {
    const uintptr_t address = cell.address;
    cell = Cell();
    cell.address = address;
    belong(arena_, cell, &object);
  });
}

Object& Cells::adopt(uintptr_t begin, uintptr_t end) {
  Object& object = insert(begin, end, true);
  each_touched(begin, end, [&](Cell& cell) { belong(arena_, cell, &object); });
  return object;
}

}  // namespace engine::memory
