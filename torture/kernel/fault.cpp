#include "torture/kernel/fault.hpp"

#include <atomic>
#include <cstdio>
#include <cstring>

#include "srcu/platform/env.hpp"

namespace torture::kernel {
namespace {

constexpr unsigned kMost = 4;  // more checks than the model has

std::atomic<const char*> checks[kMost];  // claims a place
std::atomic<bool> written[kMost];
std::atomic<uint32_t> changes{0};  // who waits sleeps on it
Fault faults[kMost];

void announce() {
  changes.fetch_add(1, std::memory_order_release);  // pairs with the acquire in wait_for_fault()
  srcu::env::futex_wake(changes);
}

}  // namespace

void note_fault(const char* check, const char* headline, const char* text, bool hangs) {
  for (unsigned i = 0; i < kMost; ++i) {
    const char* there = nullptr;
    // relaxed: a claim; what is written under it is published below
    if (!checks[i].compare_exchange_strong(there, check, std::memory_order_relaxed)) {
      if (strcmp(there, check) == 0) return;
      continue;
    }
    faults[i].check = check;
    faults[i].hangs = hangs;
    snprintf(faults[i].headline, sizeof faults[i].headline, "%s", headline);
    snprintf(faults[i].text, sizeof faults[i].text, "%s", text);
    written[i].store(true, std::memory_order_release);  // pairs with the acquire in wait_for_fault()
    return announce();
  }
}

const Fault* wait_for_fault(unsigned index, uint64_t timeout_ns) {
  if (index >= kMost) return nullptr;
  const uint32_t seen = changes.load(std::memory_order_acquire);  // before the look, so that no change is slept through
  if (!written[index].load(std::memory_order_acquire) && timeout_ns != 0)
    srcu::env::futex_wait(changes, seen, timeout_ns);
  return written[index].load(std::memory_order_acquire) ? &faults[index] : nullptr;  // pairs with note_fault()
}

void stop_waiting_for_faults() { announce(); }

}  // namespace torture::kernel
