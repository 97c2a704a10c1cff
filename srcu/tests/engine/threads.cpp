// Sections of threads that come and go, nest, or hand a section over.
#include <algorithm>
#include <atomic>
#include <thread>

#include "srcu/core/threads.hpp"
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

/// Each thread's own while it lives.
std::atomic<bool> had[kMaxThreads];

/// Its end knows nothing of its number, as if it had read when that was over.
void read_as_the_last_act() {
  read<Normal>();
  srcu_slot_offset = 0;
}

void read_by_a_number() {
  read<Normal>();
  const size_t mine = srcu_slot_offset / sizeof(srcu_slot);
  engine::check(mine != 0 && !had[mine].exchange(true), "two living threads have one number");
  read<Normal>();
  engine::check(mine == srcu_slot_offset / sizeof(srcu_slot), "a living thread's number has changed");
  had[mine].store(false, std::memory_order_relaxed);
}

void outlive_another() {
  std::thread(read_as_the_last_act).join();
  read_by_a_number();
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
ENGINE_TEST(threads_gone, "A number whose thread is gone goes to one other, who adds to its counts.") {
  test.thread(outlive_another).thread(read_by_a_number).thread(update<Normal>);
}
ENGINE_TEST(many_threads_gone, "However many go, no more numbers are needed than for twice those that ever lived at a time.") {
  test.thread(read_as_the_last_act).thread(read_as_the_last_act).thread(read_by_a_number);
  test.fini([] {
    const uint32_t before = srcu::threads_ever();
    for (int i = 0; i < 12; ++i) std::thread(read_as_the_last_act).join();
    engine::check(srcu::threads_ever() <= std::max(before, 8u), "numbers of the dead were not found");
  });
}
ENGINE_TEST(nested, "A section within a section ends neither.") { test.thread(read_nested<Normal>).thread(update<Normal>); }
ENGINE_TEST(fast_nested, "The same in a fast domain.") { test.thread(read_nested<Fast>).thread(update<Fast>); }
ENGINE_TEST(handed_over, "A section may be closed by another thread.") { test.thread(hand_over).thread(take_over).thread(update<Updown>); }
ENGINE_TEST(first_use, "Threads that all come first make one domain.") {
  test.thread(read<Fast>).thread(read<Fast>).thread(update<Fast>);
}
ENGINE_TEST(two_updaters, "Two that wait at a time share grace periods, and each waits long enough.") {
  test.thread(read_twice<Normal>).thread(update<Normal>).thread([] { synchronize_srcu(Normal::domain()); });
}
