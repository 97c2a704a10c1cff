// A publication whose two orders have labels.
#include "harness/engine/orders.hpp"

#include <atomic>
#include <string_view>

#include "harness/engine/test.hpp"

namespace {

const engine::Orders orders{"publish", "find", "count"};

int payload;
std::atomic<bool> ready;
std::atomic<int> finds;

/// Not constant: the compiler has to hand it on.
__attribute__((no_sanitize("thread"))) std::memory_order order_of(std::string_view label, std::memory_order order) {
  return label == engine::dropped_order() ? std::memory_order_relaxed : order;
}

}  // namespace

ENGINE_TEST(publish, "Who sees the flag sees the payload.") {
  test.thread([] {
    payload = 42;
    ready.store(true, order_of("publish", std::memory_order_release));
  });
  test.thread([] {
    if (!ready.load(order_of("find", std::memory_order_acquire))) return;
    engine::check(payload == 42, "an unfinished payload");
    finds.fetch_add(1, order_of("count", std::memory_order_acq_rel));
  });
}
