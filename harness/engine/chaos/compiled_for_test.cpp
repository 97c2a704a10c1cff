// Compiled as code under test is: its accesses are calls.
#include <atomic>

std::atomic<int> number_for_test{0};
volatile int volatile_for_test = 0;

int add_for_test() {
  volatile_for_test = 1;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return number_for_test.fetch_add(1, std::memory_order_relaxed);
}
