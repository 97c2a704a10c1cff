// Sections of threads that come and go, nest, or hand a section over.
#include <atomic>
#include <thread>

#include "srcu/platform/env.hpp"
#include "srcu/tests/engine/elements.hpp"

namespace srcu::test {
namespace {

template <class Kind>
void update() {
  Element& old = replace(1);
  synchronize_srcu(Kind::domain());
  end_life(old);
}

/// Each gets the number, and so the counts, of the one before.
template <class Kind>
void read_in_threads() {
  for (int i = 0; i < 2; ++i) std::thread(read<Kind>).join();
}

template <class Kind>
void read_nested() {
  const auto outer = Kind::lock();
  const Element* const seen = srcu_dereference(current, Kind::domain());
  read<Kind>();
  engine::check(seen->value >= 100, "an element's life ended in an outer section");
  Kind::unlock(outer);
}

std::atomic<int> handed{-1};
const Element* in_hand;

void hand_over() {
  const int token = srcu_down_read(Updown::domain());
  in_hand = srcu_dereference(current, Updown::domain());
  handed.store(token, std::memory_order_release);
}

void take_over() {
  int token;
  while ((token = handed.load(std::memory_order_acquire)) < 0) env::cpu_relax();
  engine::check(in_hand->value >= 100, "an element's life ended in a section that was handed over");
  srcu_up_read(Updown::domain(), token);
}

}  // namespace
}  // namespace srcu::test

using namespace srcu::test;  // NOLINT: tests of it

ENGINE_TEST(threads_come_and_go, "Counts of a thread that has ended still count, and the next one adds to them.") {
  test.thread(read_in_threads<Normal>).thread(read<Normal>).thread(update<Normal>);
}
ENGINE_TEST(fast_threads_come_and_go, "The same in a fast domain.") { test.thread(read_in_threads<Fast>).thread(update<Fast>); }
ENGINE_TEST(nested, "A section within a section ends neither.") { test.thread(read_nested<Normal>).thread(update<Normal>); }
ENGINE_TEST(fast_nested, "The same in a fast domain.") { test.thread(read_nested<Fast>).thread(update<Fast>); }
ENGINE_TEST(handed_over, "A section may be closed by another thread.") { test.thread(hand_over).thread(take_over).thread(update<Updown>); }
ENGINE_TEST(first_use, "Threads that all come first make one domain.") {
  test.thread(read<Fast>).thread(read<Fast>).thread(update<Fast>);
}
ENGINE_TEST(two_updaters, "Two that wait at a time share grace periods, and each waits long enough.") {
  test.thread(read_twice<Normal>).thread(update<Normal>).thread([] { synchronize_srcu(Normal::domain()); });
}
