// Readers that follow one another without a gap do not hold up a grace period.
#include <atomic>

#include "srcu/platform/env.hpp"
#include "srcu/tests/engine/elements.hpp"

namespace srcu::test {
namespace {

constexpr int kSections = 34, kMost = 28;
std::atomic<int> opened;
std::atomic<bool> over;

void wait_until_opened(int sections) {
  while (opened.load(std::memory_order_acquire) < sections && !over.load(std::memory_order_relaxed)) env::sleep_ns(10'000);
}

/// Every other section; each is closed when the next one is open.
template <int kFirst>
void take_turns() {
  for (int mine = kFirst; mine < kSections && !over.load(std::memory_order_relaxed); mine += 2) {
    wait_until_opened(mine);
    const int token = Normal::lock();
    opened.store(mine + 1, std::memory_order_release);
    for (int i = 0; i < 20; ++i) env::sleep_ns(10'000);  // so that the updater looks meanwhile, as often as it will
    wait_until_opened(mine + 2);
    Normal::unlock(token);
    engine::passed();
  }
  over.store(true, std::memory_order_relaxed);
}

void synchronize_meanwhile() {
  wait_until_opened(1);
  engine::progress_among(kMost);
  synchronize_srcu(Normal::domain());
  over.store(true, std::memory_order_relaxed);
}

}  // namespace
}  // namespace srcu::test

using namespace srcu::test;  // NOLINT: tests of it

ENGINE_TEST(no_starvation, "A grace period ends although a section is open at any time.") {
  test.thread(take_turns<0>).thread(take_turns<1>).thread(synchronize_meanwhile);
}
