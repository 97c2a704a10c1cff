// Locks whose holders are known: who waits for what, held by whom. Spin locks tell the engine that they wait. And what stories call them.
#include <fmt/format.h>

#include <algorithm>

#include "harness/engine/names.hpp"
#include "harness/engine/run.hpp"

namespace engine {

void Run::wait_for_lock(const void* byte, uintptr_t pc) {
  point({Kind::kWait, Order::kRelaxed, 1, reinterpret_cast<uintptr_t>(byte), pc});
  memory_.locked_instruction(self_);  // a store buffer is empty long before a waiter gives up
  const bool held = *static_cast<const uint8_t*>(byte) != 0;
  did(held, 0, held);
  if (!held) return;
  threads_[self_].waits = Thread::For::kSpinLock;
  threads_[self_].waits_for = byte;
  look_for_ring(pc);
  block(byte, "a spin lock");
}

Woken Run::wait_for_owner(const void* lock, const char* how, uint64_t until_ns, uintptr_t pc) {
  Thread& me = threads_[self_];
  if (until_ns == 0) {  // otherwise it may give up, and let go of what it holds
    me.waits = Thread::For::kLock;
    me.waits_for = lock;
    look_for_ring(pc);
  }
  const Woken woken = block(lock, how, until_ns);
  me.waits = Thread::For::kOther;
  return woken;
}

/// Who has to let go before the waiter can go on; kMaxThreads: it waits for something else, or for readers, of whom only the number is known.
ThreadId Run::holder_of(const Thread& waiter) const {
  if (waiter.waits == Thread::For::kSpinLock) return memory_.last_writer(waiter.waits_for);
  if (waiter.waits == Thread::For::kOther) return kMaxThreads;
  const auto lock = locks_.find(waiter.waits_for);
  return lock == locks_.end() ? kMaxThreads : lock->second.writer;
}

/// The calling thread's wait is the last of a ring's, if there is one. Holders are known exactly, so it is looked for but once.
void Run::look_for_ring(uintptr_t pc) {
  std::array<ThreadId, kMaxThreads> ring{self_};
  size_t size = 1;
  for (ThreadId holder; (holder = holder_of(threads_[ring[size - 1]])) != self_; ring[size++] = holder)
    if (holder == kMaxThreads || threads_[holder].state != Thread::State::kBlocked || size == thread_count_) return;
  const auto waits_for = [&](ThreadId id) { return words_for(threads_[id].waits_for); };
  if (size == 1) fail(Outcome::Kind::kDeadlock, fmt::format("{} waits for {}, which it holds itself", words_for(self_), waits_for(self_)), pc);
  // Whoever comes last, it is told in the same words.
  const auto end = ring.begin() + static_cast<ptrdiff_t>(size);
  std::rotate(ring.begin(), std::min_element(ring.begin(), end), end);
  std::string told;
  for (size_t i = 0; i < size; ++i)
    told += fmt::format("{}{} waits for {}, held by {}", i == 0 ? "" : "; ", words_for(ring[i]), waits_for(ring[i]), words_for(ring[(i + 1) % size]));
  fail(Outcome::Kind::kDeadlock, told, pc);
}

bool Run::forget_lock(const void* object) {
  const auto lock = locks_.find(object);
  if (lock == locks_.end()) return false;
  const bool held = lock->second.writer != kMaxThreads || lock->second.readers != 0;
  locks_.erase(lock);
  return held;
}

std::string Run::words_for(ThreadId id) const {
  const std::string& name = threads_[id].name;
  return name.empty() ? fmt::format("T{}", id) : fmt::format("T{} ({})", id, name);
}

std::string Run::words_for(const void* byte) const {
  const auto address = reinterpret_cast<uintptr_t>(byte);
  const auto named = spin_locks_.find(address);
  return named != spin_locks_.end() ? named->second : variable_at(address);
}

void Run::tell_from_here() {
  if (recording_) recording_->told_from = recording_->events.size();
}

void Run::name_lock(const void* byte, std::string name) {
  std::string& place = spin_locks_[reinterpret_cast<uintptr_t>(byte)] = std::move(name);
  if (recording_) recording_->locks[reinterpret_cast<uintptr_t>(byte)] = place;
}

void Run::name_thread(ThreadId id, std::string name) {
  if (id >= thread_count_) return;
  if (recording_) recording_->threads[id] = name;
  threads_[id].name = std::move(name);
}

/// By frame pointers, which all that is instrumented has; from the engine's own frames outwards.
void Run::note_callers(uintptr_t pc) {
  constexpr size_t kMost = 12;
  auto& callers = recording_->events.back().callers;
  auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  bool of_code = false;
  while (callers.size() < kMost && threads_[self_].fiber.on_stack(frame) && threads_[self_].fiber.on_stack(frame + 15) && frame % 8 == 0) {
    const auto* const words = reinterpret_cast<const uintptr_t*>(frame);
    of_code |= words[1] == pc;
    if (of_code) callers.push_back(words[1]);
    if (words[0] <= frame) break;
    frame = words[0];
  }
}

}  // namespace engine
