// Spin locks that tell the engine that they wait: who waits for what, held by whom. And what stories call them.
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
  look_for_ring(byte, pc);
  threads_[self_].spins = true;
  block(byte, "a spin lock");
}

/// The calling thread's wait is the last of a ring's, if there is one. Holders are known exactly, so it is looked for but once.
void Run::look_for_ring(const void* byte, uintptr_t pc) {
  std::vector<std::pair<ThreadId, const void*>> ring{{self_, byte}};
  for (;;) {
    const ThreadId holder = memory_.last_writer(ring.back().second);
    if (holder == self_) break;
    if (holder == kMaxThreads || !threads_[holder].spins || ring.size() == thread_count_) return;
    ring.emplace_back(holder, threads_[holder].waits_for);
  }
  if (ring.size() == 1) fail(Outcome::Kind::kDeadlock, fmt::format("{} waits for {}, which it holds itself", words_for(self_), words_for(byte)), pc);
  // Whoever comes last, it is told in the same words.
  std::rotate(ring.begin(), std::min_element(ring.begin(), ring.end()), ring.end());
  std::string told;
  for (size_t i = 0; i < ring.size(); ++i)
    told += fmt::format("{}{} waits for {}, held by {}", i == 0 ? "" : "; ", words_for(ring[i].first), words_for(ring[i].second),
                        words_for(ring[(i + 1) % ring.size()].first));
  fail(Outcome::Kind::kDeadlock, told, pc);
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
