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
  auto* object = std::upper_bound(objects_.begin(), objects_.end(), address, [](uintptr_t a, const Object* o) { return a < o->begin; });
  if (object != objects_.begin() && object[-1]->end > address) --object;
  for (; object != objects_.end() && (*object)->begin < address + kCell; ++object) belong(*cell, *object);
  find(address) = {address, cell, generation_};
  all_.push(arena_, cell);
  return *cell;
}

void Cells::belong(Cell& cell, Object* object) {
  const uint8_t mask = bytes_of(cell.address, object->begin, object->end);
  const Birth& birth = object->birth;
  cell.objects.push(arena_, object);
  object->cells.push(arena_, &cell);
  if (!birth.zeroed) cell.unwritten |= mask;
  if (object->freed) cell.freed |= mask;
  if (birth.epoch != 0) cell.traces.push(arena_, {birth.pc, birth.epoch, static_cast<uint8_t>(birth.thread), mask, true});
}

/// Whatever is known of these bytes, and not of the others.
void Cells::forget(Cell& cell, uintptr_t begin, uintptr_t end) {
  const auto keep = [](auto& list, auto stays) {
    uint32_t kept = 0;
    for (const auto& each : list)
      if (stays(each)) list[kept++] = each;
    list.shrink(kept);
  };
  const uint8_t mask = bytes_of(cell.address, begin, end);
  for (Trace& trace : cell.traces) trace.mask &= ~mask;
  keep(cell.traces, [](const Trace& trace) { return trace.mask != 0; });
  keep(cell.objects, [&](const Object* object) { return !object->overlaps(begin, end); });
  keep(cell.locations, [&](const Location* location) { return !location->overlaps(begin, static_cast<uint32_t>(end - begin)); });
  keep(cell.handed, [&](const Handed& handed) { return handed.object < begin || handed.object >= end; });
  cell.unwritten &= ~mask;
  cell.freed &= ~mask;
}

Object* Cells::object_of(uintptr_t address) const {
  auto* after = std::upper_bound(objects_.begin(), objects_.end(), address, [](uintptr_t a, const Object* o) { return a < o->begin; });
  if (after == objects_.begin()) return nullptr;
  Object* object = after[-1];
  return address < object->end ? object : nullptr;
}

Object& Cells::insert(uintptr_t begin, uintptr_t end, const Birth& birth) {
  uint32_t at = objects_.size();
  while (at > 0 && objects_[at - 1]->begin >= begin) --at;
  uint32_t to = at, from = at > 0 && objects_[at - 1]->end > begin ? at - 1 : at;
  while (to < objects_.size() && objects_[to]->begin < end) ++to;
  objects_.erase(from, to);
  Object* object = arena_.make<Object>();
  *object = {begin, end, birth, false, {}, {}};
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

void Cells::allocate(uintptr_t begin, uintptr_t end, const Birth& birth) {
  Object& object = insert(begin, end, birth);
  each_touched(begin, end, [&](Cell& cell) {
    forget(cell, begin, end);
    belong(cell, &object);
  });
}

Object& Cells::adopt(uintptr_t begin, uintptr_t end) {
  Object& object = insert(begin, end, {});
  each_touched(begin, end, [&](Cell& cell) { belong(cell, &object); });
  return object;
}

}  // namespace engine::memory
