// What every access is checked for: freed memory, memory that nobody wrote, and data races. Two accesses race when one
// writes, at least one is not atomic, they are of different threads, and neither happens before the other
// ([intro.races]/21). Only the later one, in execution order, can lack the edge, so it alone asks. Plain accesses
// leave traces in cells; atomic ones leave each thread's last read and last write in the location: an earlier one
// of the same thread happens before the last, so the last stands for all.
#include <bit>

#include "harness/engine/memory/state.hpp"

namespace engine {
namespace {

Access as_access(const Trace& trace, const Cell& cell) {
  return {trace.thread, trace.pc, cell.address + std::countr_zero(trace.mask), static_cast<uint32_t>(std::popcount(trace.mask)),
          trace.write,  false,    false};
}

uintptr_t end_of(const Access& access) { return access.address + access.size; }

}  // namespace

/// Once an access.
void Memory::State::race(const Access& now, const Access& then) {
  if (raced || model == Model::kX86) return;
  raced = true;
  execution.fault(Fault::kRace, now, &then);
}

bool Memory::State::check_freed(const Access& now, const Cell& cell, uint8_t mask) {
  if (!(cell.freed & mask)) return true;
  for (const Object* object : cell.objects) {
    if (!object->freed || !object->overlaps(now.address, end_of(now))) continue;
    execution.fault(Fault::kFreed, now, &object->freed_by);
    break;
  }
  return false;
}

/// Against atomic accesses to a location, by one that is not atomic, or not of the same object.
void Memory::State::check_visitors(const Access& now, const Location& location) {
  for (ThreadId other = 0; other < location.visitor_count; ++other) {
    const Visitor& visitor = location.visitors[other];
    if (other == now.thread) continue;
    if (!before(other, visitor.written, now.thread))
      return race(now, {other, visitor.written_pc, location.address, location.size, true, true, false});
    if (now.write && !before(other, visitor.read, now.thread))
      return race(now, {other, visitor.read_pc, location.address, location.size, false, true, false});
  }
}

/// One cell of an atomic access. An atomic access of another size is not one of the same object, and races with it.
void Memory::State::check_atomic(const Access& now, Cell& cell, const Location* self) {
  const uint8_t mask = bytes_of(cell.address, now.address, end_of(now));
  for (const Trace& trace : cell.traces)
    if ((trace.mask & mask) && (trace.write || now.write) && trace.thread != now.thread &&
        !before(trace.thread, trace.epoch, now.thread))
      return race(now, as_access(trace, cell));
  if (cell.locations.size() == 1) return;
  for (Location* other : cell.locations) {
    if (other == self || !other->overlaps(now.address, now.size)) continue;
    check_visitors(now, *other);
    if (now.write) other->rewritten = true;
  }
}

/// The location that an atomic access is to; all that can be wrong with the access is said.
Location& Memory::State::touch(const Access& now, bool loads) {
  raced = false;
  Cell& cell = cells.at(now.address);
  Location* location = nullptr;
  for (Location* each : cell.locations)
    if (each->address == now.address && each->size == now.size) location = each;
  const bool wide = ((now.address + now.size - 1) ^ now.address) & ~(kCell - 1);
  if (!location) {
    location = arena.make<Location>();
    location->address = now.address;
    location->size = now.size;
    location->rewritten = true;
    cell.locations.push(arena, location);
    if (wide) cells.at(now.address + kCell).locations.push(arena, location);
  }
  const uint8_t mask = bytes_of(cell.address, now.address, end_of(now));
  bool written = (mask & ~cell.unwritten) != 0;
  if (check_freed(now, cell, mask)) check_atomic(now, cell, location);
  if (now.write) cell.unwritten &= ~mask;
  if (wide) {
    Cell& second = cells.at(now.address + kCell);
    const uint8_t rest = bytes_of(second.address, now.address, end_of(now));
    written |= (rest & ~second.unwritten) != 0;
    if (check_freed(now, second, rest)) check_atomic(now, second, location);
    if (now.write) second.unwritten &= ~rest;
  }
  if (loads && !written) execution.fault(Fault::kUninitialised, now, nullptr);
  if (buffers(now.thread, now.address, end_of(now)) && !forwarded(now.thread, location)) drain(now.thread);
  Visitor& visitor = location->visitor(arena, now.thread, count);
  if (now.write) visitor.written = epoch(now.thread), visitor.written_pc = now.pc;
  if (loads) visitor.read = epoch(now.thread), visitor.read_pc = now.pc;
  refresh(*location);
  return *location;
}

/// One cell of a plain access, which leaves its trace. A trace goes when all that could race with it would race with the new
/// one, too: it happened before (or is our own), it is of no more bytes, and it is no write where the new one only reads.
void Memory::State::check_plain(const Access& now, Cell& cell, uint8_t mask) {
  for (Location* location : cell.locations) {
    if (!location->overlaps(now.address, now.size)) continue;
    check_visitors(now, *location);
    if (now.write) location->rewritten = true;
  }
  const Epoch at = epoch(now.thread);
  const auto own = [&](const Trace& trace) { return trace.thread == now.thread; };
  if (!cell.traces.empty()) {
    Trace& last = cell.traces.back();
    if (own(last) && last.epoch == at && !(mask & ~last.mask) && (last.write || !now.write)) {
      if (now.write) last.pc = now.pc;  // the allocation's, maybe, which says less
      return;
    }
  }
  uint32_t kept = 0;
  const Trace* clash = nullptr;
  for (const Trace& trace : cell.traces) {
    const bool ordered = own(trace) || before(trace.thread, trace.epoch, now.thread);
    if (!ordered && (trace.mask & mask) && (trace.write || now.write)) clash = &trace;
  }
  if (clash) race(now, as_access(*clash, cell));
  for (const Trace& trace : cell.traces) {
    const bool ordered = own(trace) || before(trace.thread, trace.epoch, now.thread);
    if (ordered && !(trace.mask & ~mask) && (now.write || !trace.write)) continue;
    cell.traces[kept++] = trace;
  }
  cell.traces.shrink(kept);
  cell.traces.push(arena, {now.pc, at, static_cast<uint8_t>(now.thread), mask, now.write});
}

}  // namespace engine
