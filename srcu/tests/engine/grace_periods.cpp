// Each kind of reader against each way to wait for it.
#include "srcu/platform/env.hpp"
#include "srcu/tests/engine/elements.hpp"

namespace srcu::test {
namespace {

template <class Kind>
void synchronize() {
  for (int next = 1; next < kElements; ++next) {
    Element& old = replace(next);
    synchronize_srcu(Kind::domain());
    end_life(old);
  }
}

template <class Kind>
void expedite() {
  Element& old = replace(1);
  synchronize_srcu_expedited(Kind::domain());
  end_life(old);
}

int invoked;  // by one thread at a time, and looked at after a barrier

void on_grace_period(rcu_head* head) {
  end_life(*reinterpret_cast<Element*>(head));
  ++invoked;
}

template <class Kind>
void call_and_wait() {
  for (int next = 1; next < kElements; ++next) call_srcu(Kind::domain(), &replace(next).head, on_grace_period);
  srcu_barrier(Kind::domain());
  engine::check(invoked == kElements - 1, "srcu_barrier() returned before a callback had run, or one ran twice");
}

template <class Kind>
void poll() {
  Element& old = replace(1);
  const unsigned long cookie = start_poll_synchronize_srcu(Kind::domain());
  while (!poll_state_synchronize_srcu(Kind::domain(), cookie)) env::sleep_ns(100'000);
  end_life(old);
}

template <class Kind>
void end_at_once() {
  end_life(replace(1));
}

}  // namespace
}  // namespace srcu::test

using namespace srcu::test;  // NOLINT: tests of it

#define EACH_KIND(WHAT) \
  WHAT(normal, Normal)  WHAT(nmisafe, NmiSafe) WHAT(updown, Updown) WHAT(fast, Fast) WHAT(fast_updown, FastUpdown) WHAT(tasks_trace, TasksTrace)

#define SYNCHRONIZE(name, Kind)                                                                          \
  ENGINE_TEST(name##_synchronize, "synchronize_srcu() returns after all sections that were open.") {     \
    test.thread(read_twice<Kind>).thread(read_twice<Kind>).thread(synchronize<Kind>);                    \
  }                                                                                                      \
  ENGINE_TEST(wrong_##name##_no_grace_period, "Must fail: nobody waits for the sections.") {             \
    test.thread(read<Kind>).thread(end_at_once<Kind>);                                                   \
  }
EACH_KIND(SYNCHRONIZE)

ENGINE_TEST(expedited, "So does the expedited one.") { test.thread(read_twice<Normal>).thread(read<Normal>).thread(expedite<Normal>); }
ENGINE_TEST(normal_call, "A callback runs after all sections that were open, once, and before a barrier returns.") {
  test.thread(read_twice<Normal>).thread(call_and_wait<Normal>);
}
ENGINE_TEST(fast_call, "The same in a fast domain.") { test.thread(read_twice<Fast>).thread(call_and_wait<Fast>); }
ENGINE_TEST(call_and_synchronize, "So it does if its grace period is another's, too.") {
  test.thread(read_twice<Normal>).thread(call_and_wait<Normal>).thread([] { synchronize_srcu(Normal::domain()); });
}
ENGINE_TEST(call_beside_synchronize, "A post and the end of another's grace period do not wait for each other's locks.") {
  test.thread([] { call_srcu(Normal::domain(), &elements[0].head, [](rcu_head*) {}); });
  test.thread([] { synchronize_srcu(Normal::domain()); }).fini([] { srcu_barrier(Normal::domain()); });
}
ENGINE_TEST(normal_poll, "A cookie is done after all sections that were open when it was taken.") {
  test.thread(read_twice<Normal>).thread(read<Normal>).thread(poll<Normal>);
}
ENGINE_TEST(fast_poll, "The same in a fast domain.") { test.thread(read_twice<Fast>).thread(read<Fast>).thread(poll<Fast>); }
