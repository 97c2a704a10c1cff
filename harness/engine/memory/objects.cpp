// Plain accesses, and the life of objects.
#include "harness/engine/memory/state.hpp"

namespace engine {
namespace {

uintptr_t as_address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

}  // namespace

/// A read is of uninitialised memory when nobody wrote any of its bytes: copies of structures may take padding along.
void Memory::State::plain(Access now, const void* memory, size_t size) {
  const uintptr_t begin = as_address(memory), end = begin + size;
  raced = false;
  now.address = begin;
  now.size = static_cast<uint32_t>(size);
  if (buffers(now.thread, begin, end)) drain(now.thread);
  bool written = size == 0;
  for (uintptr_t at = begin & ~(kCell - 1); at < end; at += kCell) {
    Cell& cell = cells.at(at);
    const uint8_t mask = bytes_of(at, begin, end);
    if (check_freed(now, cell, mask)) check_plain(now, cell, mask);
    written |= (mask & ~cell.unwritten) != 0;
    if (now.write) cell.unwritten &= ~mask;
  }
  if (!now.write && !written) execution.fault(Fault::kUninitialised, now, nullptr);
}

void Memory::read(ThreadId id, const void* address, size_t size, uintptr_t pc) {
  state_->plain({id, pc, 0, 0, false, false, false}, address, size);
}

void Memory::write(ThreadId id, const void* address, size_t size, uintptr_t pc) {
  state_->plain({id, pc, 0, 0, true, false, false}, address, size);
}

void Memory::allocated(ThreadId by, const void* address, size_t size, bool zeroed, uintptr_t pc) {
  const uintptr_t begin = as_address(address), end = begin + size;
  for (ThreadId id = 0; id < state_->count; ++id)
    if (state_->buffers(id, begin, end)) state_->drain(id);
  state_->cells.allocate(begin, end, {pc, state_->epoch(by), by, zeroed});
}

/// Whoever still uses the object, atomically or not, must have done so before.
void Memory::freed(ThreadId id, const void* address, size_t size, uintptr_t pc) {
  State& s = *state_;
  const uintptr_t begin = as_address(address);
  Access now{id, pc, begin, static_cast<uint32_t>(size), true, false, true};
  Object* object = s.cells.object_of(begin);
  if (object && (object->freed || object->begin != begin))
    return s.execution.fault(Fault::kBadFree, now, object->freed ? &object->freed_by : nullptr);
  s.raced = false;
  if (!object) object = &s.cells.adopt(begin, begin + size);
  now.size = static_cast<uint32_t>(object->end - begin);
  if (s.buffers(id, begin, object->end)) s.drain(id);
  const Birth& birth = object->birth;
  if (!s.before(birth.thread, birth.epoch, id))
    s.race(now, {birth.thread, birth.pc, begin, now.size, true, false, false});
  for (Cell* cell : object->cells) {
    const uint8_t mask = bytes_of(cell->address, begin, object->end);
    s.check_plain(now, *cell, mask);
    cell->freed |= mask;
  }
  object->freed = true;
  object->freed_by = now;
}

}  // namespace engine
