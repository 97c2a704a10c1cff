// Fences, the order S of seq_cst fences, and membarrier.
#include "harness/engine/memory/state.hpp"

namespace engine {

/// A seq_cst fence is an acquire and a release fence ([atomics.order]/1.6, [atomics.fences]/5.5), and has a place in S. Fences
/// take that place when they are executed, so this one comes after all that were executed before: coherence must respect what
/// they saw ([atomics.order]/4.4), and the seq_cst accesses so far (4.3); those that come see what we saw. Nothing comes to
/// happen before by that: joining `happened` here would hide races.
void Memory::State::sc_fence(ThreadId id) {
  View& now = thread(id).now;
  drain(id);
  now.join(thread(id).pending);
  now.see(fences);
  now.sc = sc;
  fences.see(now);
  thread(id).released = publish(id);
  ++sc;
}

void Memory::fence(ThreadId id, Order order) {
  Thread& thread = state_->thread(id);
  if (order == Order::kSeqCst) return state_->sc_fence(id);
  if (acquires(order)) thread.now.join(thread.pending);
  if (releases(order)) thread.released = state_->publish(id);
}

// Linux runs a full barrier on each CPU that runs one of the process's threads, each at its own time between the call's begin
// and its end; the caller waits for each. So each target has a seq_cst fence of its own, ordered after what the
// caller did before its call and before what it does after it. Targets are not ordered with each other by it. A thread that
// runs nowhere is passed over by Linux, since the switch from it was a barrier: ended ones are ordered all the same.

void Memory::membarrier_begin(ThreadId caller) {
  Thread& thread = state_->thread(caller);
  state_->sc_fence(caller);
  thread.called = thread.released;
  thread.gathered.clear();
  thread.fenced = uint64_t{1} << caller;
}

void Memory::membarrier_at(ThreadId caller, ThreadId target) {
  State& s = *state_;
  if (caller == target || !s.thread(caller).called) return;
  s.thread(caller).fenced |= uint64_t{1} << target;
  s.thread(target).now.join(*s.thread(caller).called);
  s.sc_fence(target);
  s.thread(caller).gathered.join(*s.thread(target).released);
}

void Memory::membarrier_end(ThreadId caller) {
  Thread& thread = state_->thread(caller);
  for (ThreadId id = 0; id < state_->count; ++id)
    if ((thread.fenced >> id & 1) == 0) membarrier_at(caller, id);
  thread.called = nullptr;
  thread.now.join(thread.gathered);
  state_->sc_fence(caller);
}

}  // namespace engine
