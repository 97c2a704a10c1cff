// How controlled threads begin, end, wait for each other, and are fenced by membarrier.
#include "harness/engine/fatal.hpp"
#include "harness/engine/run.hpp"
#include "harness/engine/thread_pointer.hpp"

namespace engine {

ThreadId Run::start(void* (*body)(void*), void* argument, bool detached, uintptr_t pc) {
  if (thread_count_ != 0) point({Kind::kStart, Order::kRelease, 0, 0, pc});
  if (thread_count_ == kMaxThreads) return kMaxThreads;
  const ThreadId child = thread_count_++;  // only now: others may have started threads meanwhile
  Thread& it = threads_[child];
  if (!it.fiber.placed()) it.fiber.place(child);
  it.fiber.restart(first_steps);
  it.body = body;
  it.argument = argument;
  it.result = nullptr;
  it.detached = detached;
  it.started_from = pc;
  it.cpu = child % 4;
  it.state = Thread::State::kAble;
  it.steps = it.looks = it.old_values = it.progress_bound = it.others_bound = 0;
  it.handler = nullptr;
  it.waits = Thread::For::kOther;
  it.name.clear();
  it.at_exit.clear();
  next_[child] = {};
  if (child == 0) return child;
  memory_.start(child, self_);
  for (ThreadId caller = 0; caller < child; ++caller)
    if (fences_awaited_[caller] != 0) fences_due_[child] |= uint64_t{1} << caller, ++fences_awaited_[caller];
  did(0, child);
  return child;
}

void Run::first_steps() {
  Run& run = *started_;
  renew_libraries_thread_locals();
  Thread& me = run.threads_[run.self_];
  engaged = &run;
  me.result = me.body(me.argument);
  run.end_thread();
}

void Run::end_thread() {
  Thread& me = threads_[self_];
  while (!me.at_exit.empty()) {
    engaged = nullptr;
    const auto [function, argument] = me.at_exit.back();
    me.at_exit.pop_back();
    engaged = this;
    function(argument);
  }
  engaged = nullptr;
  if (self_ == 0) fail(Outcome::Kind::kMisuse, "init or fini ended its thread", 0);
  point({Kind::kEnd, Order::kRelease});
  did(0, 0);
  while (fences_due_[self_] != 0) fenced(self_);
  me.state = Thread::State::kEnded;
  wake(&me, kMaxThreads);
  leave();
  fatal("an ended thread was chosen");
}

void Run::join(ThreadId id, uintptr_t pc) {
  point({Kind::kJoin, Order::kAcquire, 0, 0, pc});
  did(id, 0);
  while (threads_[id].state != Thread::State::kEnded) block(&threads_[id], "join");
  memory_.join(self_, id);
  threads_[id].detached = true;
}

/// Thread 0 stays: it waits for the end, in the child, too.
void Run::become_child(uintptr_t pc) {
  while (threads_[0].state != Thread::State::kBlocked) yield({Kind::kYield, Order::kRelaxed, 0, 0, pc});
  point({Kind::kFork, Order::kAcquire, 0, 0, pc});
  for (ThreadId id = 0; id < thread_count_; ++id) {
    if (id == self_) continue;
    memory_.join(self_, id);
    if (id == 0 || threads_[id].state == Thread::State::kEnded) continue;
    threads_[id].state = Thread::State::kEnded;
    threads_[id].detached = true;
    fences_due_[id] = fences_awaited_[id] = 0;
    next_[id] = {};
    wake(&threads_[id], kMaxThreads);
  }
  fences_due_[self_] = 0;
  did(0, 0);
}

/// Of several callers any may come first, whoever called first: calls are not ordered with each other.
ThreadId Run::fenced(ThreadId target) {
  uint64_t& due = fences_due_[target];
  uint64_t callers = due;
  for (unsigned passed_over = draw_for(target, static_cast<unsigned>(__builtin_popcountll(due))); passed_over != 0; --passed_over) callers &= callers - 1;
  const auto caller = static_cast<ThreadId>(__builtin_ctzll(callers));
  due &= ~(uint64_t{1} << caller);
  memory_.membarrier_at(caller, target);
  if (--fences_awaited_[caller] == 0) wake(&fences_awaited_[caller], 1);
  return caller;
}

bool Run::lacks_membarrier() {
  if (membarrier_ == Kernel::kUnasked) membarrier_ = fault(kNoMembarrier) ? Kernel::kLacks : Kernel::kHas;
  return membarrier_ == Kernel::kLacks;
}

void Run::membarrier(uintptr_t pc) {
  point({Kind::kMembarrier, Order::kSeqCst, 0, 0, pc});
  memory_.membarrier_begin(self_);
  did(0, 0);
  for (ThreadId id = 0; id < thread_count_; ++id)
    if (id != self_ && threads_[id].state != Thread::State::kEnded) fences_due_[id] |= uint64_t{1} << self_, ++fences_awaited_[self_];
  while (fences_awaited_[self_] != 0) block(&fences_awaited_[self_], "membarrier");
  memory_.membarrier_end(self_);
}

}  // namespace engine
