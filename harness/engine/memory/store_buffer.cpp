// x86: each thread's stores reach memory in their order, some time later; the thread itself reads them at once, and loads
// read what memory holds. Locked instructions and full fences wait until the buffer is empty. What
// synchronizes stays C++20's: with the messages of stores as they were executed. An access of another size to bytes that
// are still buffered waits until they are not.
#include "harness/engine/memory/state.hpp"

namespace engine {

const Buffered* Memory::State::forwarded(ThreadId id, const Location* location) const {
  const Thread& thread = threads[id];
  for (uint32_t i = thread.buffer.size(); i > thread.flushed; --i)
    if (thread.buffer[i - 1].location == location) return &thread.buffer[i - 1];
  return nullptr;
}

bool Memory::State::buffers(ThreadId id, uintptr_t begin, uintptr_t end) const {
  const Thread& thread = threads[id];
  for (uint32_t i = thread.flushed; i < thread.buffer.size(); ++i)
    if (const Location* location = thread.buffer[i].location; location->address < end && begin < location->address + location->size)
      return true;
  return false;
}

unsigned Memory::buffered(ThreadId id) const {
  const Thread& thread = state_->threads[id];
  return thread.buffer.size() - thread.flushed;
}

void Memory::flush_one(ThreadId id) {
  Thread& thread = state_->thread(id);
  if (thread.flushed == thread.buffer.size()) return;
  const Buffered oldest = thread.buffer[thread.flushed++];
  if (thread.flushed == thread.buffer.size()) {
    thread.buffer.shrink(0);
    thread.flushed = 0;
  }
  state_->refresh(*oldest.location);
  state_->append(id, *oldest.location, oldest.store.value, oldest.store.message);
}

void Memory::locked_instruction(ThreadId id) { state_->drain(id); }

void Memory::State::drain(ThreadId id) {
  Thread& thread = threads[id];
  while (thread.flushed < thread.buffer.size()) {
    const Buffered& oldest = thread.buffer[thread.flushed++];
    refresh(*oldest.location);
    append(id, *oldest.location, oldest.store.value, oldest.store.message);
  }
  thread.buffer.shrink(0);
  thread.flushed = 0;
}

}  // namespace engine
