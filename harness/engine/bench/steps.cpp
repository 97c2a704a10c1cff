// About a hundred steps in three threads, of all kinds: what executions cost is measured with this.
#include <atomic>

#include "harness/engine/test.hpp"

namespace {

std::atomic<int> x, y;
std::atomic<int*> published;
int plain[2];

void use_all() {
  for (int i = 0; i < 4; ++i) {
    x.fetch_add(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (int* it = published.load(std::memory_order_acquire)) y.store(*it, std::memory_order_release);
    y.load(std::memory_order_acquire);
    int expected = i;
    x.compare_exchange_strong(expected, i + 1);
    y.fetch_sub(1, std::memory_order_acq_rel);
  }
}

void publish() {
  plain[0] = 1;
  published.store(plain, std::memory_order_release);
  for (int i = 0; i < 12; ++i) {
    y.store(i, std::memory_order_release);
    x.load(std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

}  // namespace

ENGINE_TEST(hundred_steps, "Nothing goes wrong: for benchmarks.") {
  test.thread(use_all).thread(use_all).thread(publish);
}
