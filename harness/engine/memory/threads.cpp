// What passes between threads by other ways than memory: start, join, and locks and their like. Each is a release
// on one side and an acquire on the other ([thread.thread.constr]/5, [thread.thread.member]/4, [thread.mutex.requirements.mutex]/25).
#include "harness/engine/memory/state.hpp"

namespace engine {

Memory::Memory(Execution& execution, Model model) : state_(new State(execution, model)) {}
Memory::~Memory() { delete state_; }

void Memory::begin(Model model) { state_->begin(model); }

void Memory::State::begin(Model m) {
  model = m;
  arena.reset();
  cells.clear();
  count = 0;
  fences.clear();
  sc = 1;
  introduce(0);
}

void Memory::State::introduce(ThreadId id) {
  if (id >= kMaxThreads) abort();
  count = std::max(count, id + 1);
  Thread& t = threads[id];
  t.now.clear();
  t.pending.clear();
  t.released = t.called = nullptr;
  t.buffer = {};
  t.flushed = 0;
  t.now.widen(id + 1);
  t.now.of[id] = {1, 1};
}

const View* Memory::State::publish(ThreadId id) {
  View& now = threads[id].now;
  const View* published = now.copy(arena);
  now.of[id].happened = ++now.of[id].seen;
  return published;
}

void Memory::start(ThreadId child, ThreadId parent) {
  State& s = *state_;
  s.drain(parent);
  s.introduce(child);
  s.thread(child).now.join(*s.publish(parent));
}

void Memory::join(ThreadId waiter, ThreadId ended) {
  state_->drain(ended);
  state_->thread(waiter).now.join(state_->thread(ended).now);
}

void Memory::acquire_from(ThreadId id, const void* object) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  for (const Handed& each : state_->cells.at(address).handed)
    if (each.object == address) state_->thread(id).now.join(*each.view);
}

void Memory::release_to(ThreadId id, const void* object) {
  state_->drain(id);
  const auto address = reinterpret_cast<uintptr_t>(object);
  const View* const view = state_->publish(id);
  Cell& cell = state_->cells.at(address);
  for (Handed& each : cell.handed)
    if (each.object == address) {
      each.view = view;
      return;
    }
  cell.handed.push(state_->arena, {address, view});
}

}  // namespace engine
