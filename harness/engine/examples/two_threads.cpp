// Two classics, right and wrong: what a first test looks like.
#include <atomic>

#include "harness/engine/test.hpp"

namespace {

std::atomic<int> x, y;
int seen_by_0, seen_by_1;

template <std::memory_order kOrder>
void write_x_read_y() {
  x.store(1, std::memory_order_relaxed);
  std::atomic_thread_fence(kOrder);
  seen_by_0 = y.load(std::memory_order_relaxed);
}

template <std::memory_order kOrder>
void write_y_read_x() {
  y.store(1, std::memory_order_relaxed);
  std::atomic_thread_fence(kOrder);
  seen_by_1 = x.load(std::memory_order_relaxed);
}

void one_saw_the_other() { engine::check(seen_by_0 != 0 || seen_by_1 != 0, "neither thread saw the other's write"); }

int payload;
std::atomic<bool> ready;

template <std::memory_order kOrder>
void publish() {
  payload = 42;
  ready.store(true, kOrder);
}

void use() {
  if (ready.load(std::memory_order_acquire)) engine::check(payload == 42, "an unfinished payload was published");
}

}  // namespace

ENGINE_TEST(store_buffering, "Of two threads that write, fence, and read, one sees the other's write.") {
  test.thread(write_x_read_y<std::memory_order_seq_cst>).thread(write_y_read_x<std::memory_order_seq_cst>).fini(one_saw_the_other);
}

ENGINE_TEST(store_buffering_without_fence, "Wrong: an acquire-release fence does not keep a read after a write.") {
  test.thread(write_x_read_y<std::memory_order_acq_rel>).thread(write_y_read_x<std::memory_order_seq_cst>).fini(one_saw_the_other);
}

ENGINE_TEST(message_passing, "Who sees the flag sees the payload.") {
  test.thread(publish<std::memory_order_release>).thread(use);
}

ENGINE_TEST(message_passing_relaxed, "Wrong: a relaxed store publishes nothing.") {
  test.thread(publish<std::memory_order_relaxed>).thread(use);
}

ENGINE_TEST(lost_update, "Wrong: two threads that add by load and store lose one of the additions.") {
  static std::atomic<int> sum;
  const auto add = [] { sum.store(sum.load() + 1); };
  test.thread(add).thread(add).fini([] { engine::check(sum.load() == 2, "an addition was lost"); });
}
