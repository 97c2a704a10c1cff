// Sections are counted, but two readers that count at the same instant make one of the counts get lost.
#include <atomic>

#include "torture/flavors/table.hpp"

namespace torture {
namespace {

std::atomic<long> opened{0}, closed{0};

// relaxed, both: which order they have does not mend it. Right would be fetch_add, or a counter for each
// thread.
void count(std::atomic<long>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

uint64_t read_lock(void* dom, void* ctx) {
  count(opened);
  return urcu_mb.read_lock(dom, ctx);
}

void read_unlock(void* dom, void* ctx, uint64_t token) {
  urcu_mb.read_unlock(dom, ctx, token);
  count(closed);
}

// relaxed: the torture has parked everybody, and so ordered their last counts before
long reader_balance(void*) {
  return opened.load(std::memory_order_relaxed) - closed.load(std::memory_order_relaxed);
}

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_counter_mismatch";
  ops.read_lock = read_lock;
  ops.read_unlock = read_unlock;
  ops.reader_balance = reader_balance;
  return ops;
}

}  // namespace

const Ops busted_counter_mismatch = broken();

}  // namespace torture
