#include "torture/kernel/fault.hpp"

#include <atomic>
#include <cstdio>

#include "srcu/platform/env.hpp"

namespace torture::kernel {
namespace {

enum State : uint32_t { kNone, kBeingWritten, kThere };
std::atomic<uint32_t> state{kNone};
std::atomic<uint32_t> changes{0};  // who waits sleeps on it
Fault first;

void announce() {
  changes.fetch_add(1, std::memory_order_release);  // pairs with the acquire in wait_for_fault()
  srcu::env::futex_wake(changes);
}

}  // namespace

void note_fault(const char* check, const char* text) {
  uint32_t none = kNone;
  // relaxed: whoever comes first writes, and publishes by the store below
  if (!state.compare_exchange_strong(none, kBeingWritten, std::memory_order_relaxed)) return;
  first.check = check;
  snprintf(first.text, sizeof first.text, "%s", text);
  state.store(kThere, std::memory_order_release);  // pairs with the acquire in wait_for_fault(): the text
  announce();
}

const Fault* wait_for_fault(uint64_t timeout_ns) {
  const uint32_t seen = changes.load(std::memory_order_acquire);  // before the look, so that no change is slept through
  if (state.load(std::memory_order_acquire) != kThere && timeout_ns != 0)
    srcu::env::futex_wait(changes, seen, timeout_ns);
  return state.load(std::memory_order_acquire) == kThere ? &first : nullptr;  // pairs with the release in note_fault()
}

void stop_waiting_for_faults() { announce(); }

void forget_fault() { state.store(kNone, std::memory_order_relaxed); }  // relaxed: nobody else is there

}  // namespace torture::kernel
