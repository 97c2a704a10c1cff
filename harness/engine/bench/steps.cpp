// About a hundred steps in three threads, of all kinds, and about a thousand: what executions cost is measured with these.
#include <atomic>

#include "harness/engine/test.hpp"

namespace {

std::atomic<int> x, y;
std::atomic<int*> published;
int plain[2];

template <int kRounds>
void use_all() {
  for (int i = 0; i < 4 * kRounds; ++i) {
    x.fetch_add(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (int* it = published.load(std::memory_order_acquire)) y.store(*it, std::memory_order_release);
    y.load(std::memory_order_acquire);
    int expected = i;
    x.compare_exchange_strong(expected, i + 1);
    y.fetch_sub(1, std::memory_order_acq_rel);
  }
}

template <int kRounds>
void publish() {
  plain[0] = 1;
  published.store(plain, std::memory_order_release);
  for (int i = 0; i < 12 * kRounds; ++i) {
    y.store(i, std::memory_order_release);
    x.load(std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

}  // namespace

ENGINE_TEST(hundred_steps, "Nothing goes wrong: for benchmarks.") {
  test.thread(use_all<1>).thread(use_all<1>).thread(publish<1>);
}

ENGINE_TEST(thousand_steps, "Nothing goes wrong: for benchmarks.") {
  test.thread(use_all<10>).thread(use_all<10>).thread(publish<10>);
}
