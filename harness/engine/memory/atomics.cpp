// Loads, stores and read-modify-writes of one location. Modification order is the order of execution, so stores and
// read-modify-writes need no choice: writes come last (write-write and read-write coherence, [intro.races]/15 and /17),
// and a read-modify-write reads the last value before its own ([atomics.order]/10). Loads choose.
#include "harness/engine/memory/state.hpp"

namespace engine {
namespace {

Value held(uintptr_t address, uint32_t size) {
  Value value = 0;
  memcpy(&value, reinterpret_cast<const void*>(address), size);
  return value;
}

void hold(uintptr_t address, uint32_t size, Value value) { memcpy(reinterpret_cast<void*>(address), &value, size); }

Access atomic(ThreadId thread, const void* address, unsigned size, bool write, uintptr_t pc) {
  return {thread, pc, reinterpret_cast<uintptr_t>(address), size, write, true, false};
}

}  // namespace

/// What came into memory by other ways is a store, too: the newest, and the oldest that anybody may still read. For where it
/// was written without a race it happened before this access; and code that is not instrumented tells nobody when it was.
void Memory::State::refresh(Location& location) {
  const Value value = held(location.address, location.size);
  if (!location.rewritten && location.stores.back().value == value) return;
  location.rewritten = false;
  location.stores.push(arena, {value, nullptr});
  location.first = location.newest();
}

/// The oldest store that a load may read. What [atomics.order]/4 adds to coherence, S being the order of execution: a
/// seq_cst load reads nothing older than what a seq_cst access wrote or read before it (4.1), nor than what
/// happened before an earlier seq_cst fence (4.2). What an earlier fence of our own brought is in `now` (4.3, 4.4).
uint32_t Memory::State::oldest(ThreadId id, const Location& location, Order order) {
  if (has_buffers(model)) return location.newest();
  const uint32_t coherent = location.oldest_for(thread(id).now);
  if (order != Order::kSeqCst) return coherent;
  return std::max({coherent, location.sc.highest(), location.oldest_for(fences)});
}

/// Reading from a release sequence: an acquire operation synchronizes with its head ([atomics.order]/2); a relaxed one
/// would with an acquire fence after it ([atomics.fences]/4).
void Memory::State::observe(ThreadId id, Location& location, uint32_t store, Order order) {
  location.visitors[id].climb.reach(arena, epoch(id), store);
  if (order == Order::kSeqCst) location.sc.reach(arena, sc, store);
  const View* message = location.stores[store].message;
  if (!message) return;
  (acquires(order) ? thread(id).now : thread(id).pending).join(*message);
}

uint32_t Memory::State::append(ThreadId id, Location& location, Value value, const View* message) {
  hold(location.address, location.size, value);
  const Store& last = location.stores.back();
  location.stores.push(arena, {value, message, last.value == value ? last.by : id});
  return location.newest();
}

/// A store that everybody can see; `sequence` is what a read-modify-write hands on of the release sequences that it continues
/// ([intro.races]/5: its own thread's later stores do not, since C++20).
void Memory::State::commit(ThreadId id, Location& location, Value value, Order order, const View* sequence) {
  const Epoch written = epoch(id);
  const View* message = releases(order) ? publish(id) : thread(id).released;
  if (sequence && message) {
    View* both = message->copy(arena, sequence->width);
    both->join(*sequence);
    message = both;
  }
  const uint32_t store = append(id, location, value, message ? message : sequence);
  location.visitors[id].climb.reach(arena, written, store);
  if (order == Order::kSeqCst) location.sc.reach(arena, sc, store);
}

/// The newest store, or an older one: of the last few hundred, or the oldest of all.
uint32_t Memory::State::chosen(const Location& location, uint32_t oldest) {
  constexpr uint32_t kMost = 200;  // a choice is written down in a byte
  const uint32_t newest = location.newest(), possible = std::min(newest - oldest + 1, kMost);
  if (possible == 1) return newest;
  const uint32_t back = execution.choose(possible);
  return back + 1 == possible ? oldest : newest - back;
}

/// The newest store, or a stale one whose value is not `value`: of the last few, so that loops on a busy location stay cheap.
uint32_t Memory::State::other_than(Value value, const Location& location, uint32_t oldest) {
  constexpr unsigned kMost = 16;
  uint32_t stale[kMost];
  unsigned found = 0;
  for (uint32_t i = location.newest(); i > oldest && found < kMost; --i)
    if (location.stores[i - 1].value != value) stale[found++] = i - 1;
  const unsigned chosen = found ? execution.choose(found + 1) : 0;
  return chosen ? stale[chosen - 1] : location.newest();
}

ThreadId Memory::last_writer(const void* address) const {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  for (const Location* location : state_->cells.at(wanted).locations)
    if (location->address == wanted) return location->stores.back().by;
  return kMaxThreads;
}

Value Memory::load(ThreadId id, const void* address, unsigned size, Order order, uintptr_t pc) {
  State& s = *state_;
  Location& location = s.touch(atomic(id, address, size, false, pc), true);
  if (const Buffered* own = s.forwarded(id, &location)) return own->store.value;
  const uint32_t store = s.chosen(location, s.oldest(id, location, order));
  s.observe(id, location, store, order);
  return location.stores[store].value;
}

void Memory::store(ThreadId id, void* address, unsigned size, Value value, Order order, uintptr_t pc) {
  State& s = *state_;
  Location& location = s.touch(atomic(id, address, size, true, pc), false);
  value = truncated(value, size);
  if (has_buffers(s.model) && order != Order::kSeqCst) {
    const View* message = releases(order) ? s.publish(id) : s.thread(id).released;
    s.thread(id).buffer.push(s.arena, {&location, {value, message}});
    return;
  }
  s.drain(id);
  s.commit(id, location, value, order, nullptr);
}

Value Memory::modify(ThreadId id, void* address, unsigned size, Value (*change)(Value, Value), Value argument, Order order,
                     uintptr_t pc) {
  State& s = *state_;
  s.drain(id);
  Location& location = s.touch(atomic(id, address, size, true, pc), true);
  const Store read = location.stores.back();
  s.observe(id, location, location.newest(), order);
  s.commit(id, location, truncated(change(read.value, argument), size), order, read.message);
  return read.value;
}

/// A failed one is a load ([atomics.types.operations]/24), so it may have read an older value that differs, as well. That a strong one
/// must not fail for a stale value that is the expected one is in the choice: such stores are no candidates.
bool Memory::exchange_if(ThreadId id, void* address, unsigned size, Value& expected, Value desired, Order success, Order failure,
                         uintptr_t pc) {
  State& s = *state_;
  s.drain(id);
  Location& location = s.touch(atomic(id, address, size, false, pc), true);
  expected = truncated(expected, size);
  const uint32_t store = s.other_than(expected, location, s.oldest(id, location, failure));
  if (location.stores[store].value != expected) {
    s.observe(id, location, store, failure);
    expected = location.stores[store].value;
    return false;
  }
  s.touch(atomic(id, address, size, true, pc), true);
  const View* sequence = location.stores[store].message;
  s.observe(id, location, store, success);
  s.commit(id, location, truncated(desired, size), success, sequence);
  return true;
}

}  // namespace engine
