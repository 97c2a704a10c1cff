// Posts that no barrier helps along, callbacks that take long, and a reader's data that is atomic all through.
#include <atomic>

#include "srcu/defer.h"
#include "srcu/platform/env.hpp"
#include "srcu/tests/engine/elements.hpp"

namespace srcu::test {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

srcu_struct other;
std::atomic<uint32_t> invoked;

void count(rcu_head*) {
  invoked.fetch_add(1, kRelaxed);
  env::futex_wake(invoked);
}

/// For ever, if one is lost: a deadlock.
void wait_for(uint32_t posts) {
  for (uint32_t seen; (seen = invoked.load(kRelaxed)) != posts;) env::futex_wait(invoked, seen);
}

void post_staged(int element) { call_srcu_nolock(Normal::domain(), &elements[element].head, count); }

template <bool kFirst>
void post_again_later() {
  post_staged(kFirst ? 0 : 1);
  if constexpr (kFirst) wait_for(2);
}

void post_twice_and_see() {
  post_staged(0);
  env::sleep_ns(1);
  post_staged(1);
  wait_for(2);
}

/// \name Two works of interrupts that wait for one return of them
/// @{
uint32_t handled;

void post_to_both_from_handler() {
  engine::set_handler([] {
    call_srcu(Normal::domain(), &elements[1].head, count);
    call_srcu(&other, &elements[2].head, count);
    handled = 2;
  });
  call_srcu(Normal::domain(), &elements[0].head, count);
  engine::set_handler(nullptr);
  wait_for(1 + handled);
}

void post_nolock_from_handler() {
  engine::set_handler([] {
    call_srcu_nolock(Normal::domain(), &elements[1].head, count);
    handled = 1;
  });
  call_srcu(Normal::domain(), &elements[0].head, count);
  engine::set_handler(nullptr);
  wait_for(1 + handled);
}
/// @}

/// \name A callback that sleeps
/// @{
std::atomic<int> begun;
int through;

void take_long(rcu_head*) {
  begun.store(1, std::memory_order_release);
  env::sleep_ns(1000);
  through = 1;
}

void post_and_wait_while_it_runs() {
  call_srcu(Normal::domain(), &elements[0].head, take_long);
  while (begun.load(std::memory_order_acquire) == 0) env::sleep_ns(1);
  srcu_barrier(Normal::domain());
  engine::check(through == 1, "srcu_barrier() returned while a callback ran");
}
/// @}

/// \name Data that only atomic accesses touch: no race but that with the end of its life
/// @{
std::atomic<int> values[kElements] = {100, 101, 102};
std::atomic<std::atomic<int>*> value{&values[0]};

void read_value() {
  const int token = Normal::lock();
  const std::atomic<int>* const seen = value.load(std::memory_order_consume);
  engine::check(seen->load(kRelaxed) >= 100, "not a value");
  Normal::unlock(token);
}

void read_values() {
  read_value();
  read_value();
}

void replace_values() {
  for (int next = 1; next < kElements; ++next) {
    value.store(&values[next], std::memory_order_release);
    synchronize_srcu(Normal::domain());
    engine::retire(&values[next - 1], sizeof values[next - 1]);
  }
}
/// @}

}  // namespace
}  // namespace srcu::test

using namespace srcu::test;  // NOLINT: tests of it

ENGINE_TEST(staged_alone, "What two stage at a time is run, if nobody waits for it.") {
  test.init([] { srcu_set_strategy(Normal::domain(), "nolock:always"); srcu_start_helper(); });
  test.thread(post_again_later<true>).thread(post_again_later<false>);
}
ENGINE_TEST(deferred_alone, "So is what is staged while the queue takes over what was before.") {
  test.init([] { srcu_set_strategy(Normal::domain(), "bpf_defer"); srcu_start_helper(); });
  test.thread(post_twice_and_see);
}
ENGINE_TEST(handlers_post_to_two, "A handler's posts to two domains are run, if nobody waits for them.") {
  test.init([] { init_srcu_struct(&other); }).thread(post_to_both_from_handler);
}
ENGINE_TEST(handlers_post_nolock, "A handler's post with the table of held locks is run, on top of whatever lock.") {
  test.init([] { srcu_set_strategy(Normal::domain(), "nolock:held_lock_table"); srcu_start_helper(); }).thread(post_nolock_from_handler);
}
ENGINE_TEST(slow_callback, "srcu_barrier() waits for a callback that runs already.") { test.thread(post_and_wait_while_it_runs); }
ENGINE_TEST(atomic_values, "Sections protect what is atomic all through, too.") {
  test.thread(read_values).thread(read_values).thread(replace_values);
}
