// Tests that need one order each: srcu/DESIGN.md's table names them.
#include <atomic>
#include <thread>

#include "srcu/core/usage.hpp"
#include "srcu/defer.h"
#include "srcu/platform/env.hpp"
#include "srcu/tests/engine/elements.hpp"

namespace srcu::test {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

/// \name E: whoever saw a grace period end is behind a fence
/// @{
std::atomic<int> opened, noted, flagged;
bool saw_note, saw_flag, looked;

void note_in_section() {
  const int token = Normal::lock();
  opened.store(1, std::memory_order_release);
  env::sleep_ns(1);  // until the others have come as far as they can
  noted.store(1, kRelaxed);
  Normal::unlock(token);
}

void flag_and_read() {
  flagged.store(1, kRelaxed);
  const int token = Normal::lock();
  saw_note = noted.load(kRelaxed) != 0;
  Normal::unlock(token);
}

void wait_and_look() {
  if (opened.load(std::memory_order_acquire) == 0) return;  // from here on that section is waited for
  synchronize_srcu(Normal::domain());
  saw_flag = flagged.load(kRelaxed) != 0;
  looked = true;
}
/// @}

/// \name K, X: posts that are staged, by two at a time
/// @{
void ran(rcu_head* head) { reinterpret_cast<Element*>(head)->value = 1; }

void post_staged_and_wait() {
  call_srcu_nolock(Normal::domain(), &elements[1].head, ran);
  srcu_barrier(Normal::domain());
  engine::check(elements[1].value == 1, "srcu_barrier() returned before a callback had run");
}
/// @}

/// \name N: deferred functions
/// @{
bpf_defer_node node, other_node;
int deferred_ran;

void defer_and_flush() {
  bpf_defer(&node, [](srcu_struct*, rcu_head*, rcu_callback_t) { deferred_ran = 1; }, nullptr, nullptr, nullptr);
  bpf_defer_flush();
  engine::check(deferred_ran == 1, "bpf_defer_flush() returned before a deferred function had");
}

void defer_other() {
  bpf_defer(&other_node, [](srcu_struct*, rcu_head*, rcu_callback_t) {}, nullptr, nullptr, nullptr);
}

/// The pass has read the domain's node when it is written again.
void post_twice_in_two_passes() {
  call_srcu_nolock(Normal::domain(), &elements[1].head, ran);
  env::sleep_ns(1'000'000'000);
  call_srcu_nolock(Normal::domain(), &elements[2].head, ran);
  srcu_barrier(Normal::domain());
  engine::check(elements[1].value == 1 && elements[2].value == 1, "srcu_barrier() returned before a callback had run");
}
/// @}

/// \name R: the helper begins a grace period, rests, and another goes on
/// @{
void ask_and_sleep_in_section() {
  const int token = Normal::lock();
  const Element* const element = srcu_dereference(current, Normal::domain());
  start_poll_synchronize_srcu(Normal::domain());
  env::sleep_ns(1'000'000);
  engine::check(element->value >= 100, "an element's life ended in a section that slept");
  Normal::unlock(token);
}

void update_meanwhile() {
  env::sleep_ns(20'000);
  Element& old = replace(1);
  synchronize_srcu(Normal::domain());
  end_life(old);
}
/// @}

/// \name Q: callbacks are looked at while another ends their grace period
/// @{
template <int kLooks>
void post_and_look() {
  call_srcu(Normal::domain(), &replace(1).head, [](rcu_head* head) { end_life(*reinterpret_cast<Element*>(head)); });
  for (int i = 0; i < kLooks; ++i) {
    env::sleep_ns(1);
    invoke_callbacks(&usage_of(Normal::domain()));
  }
  srcu_barrier(Normal::domain());
}
/// @}

/// \name Q: two others drive, one after the other, so that the end of a grace period is first seen in the next one's state
/// @{
void synchronize_once() { synchronize_srcu(Normal::domain()); }

void synchronize_twice() {
  synchronize_once();
  synchronize_once();
}

/// Asks for none, and gives up where nobody began one later.
void poll_in_passing() {
  Element& old = replace(1);
  const unsigned long cookie = get_state_synchronize_srcu(Normal::domain());
  for (int i = 0; i < 40; ++i) {
    if (poll_state_synchronize_srcu(Normal::domain(), cookie)) return end_life(old);
    env::sleep_ns(1);
  }
}
/// @}

/// \name D: how many sections may be opened in a rank after the flip
/// @{
#if defined(SRCU_COUNTER_BITS)
constexpr int kTooMany = (1 << SRCU_COUNTER_BITS) - 1;  // beside the one that is held
#else
constexpr int kTooMany = 3;
#endif
int held_token;
const Element* held_element;

void hold_section() {
  held_token = srcu_down_read(Updown::domain());
  held_element = srcu_dereference(current, Updown::domain());
  std::thread(read<Updown>).join();  // there is a number for one more thread
}

/// Later than all that needs no sleep.
void end_held_section() {
  env::sleep_ns(1);
  engine::check(held_element->value >= 100, "an element's life ended in a section that was held");
  srcu_up_read(Updown::domain(), held_token);
}

void many_sections() {
  for (int i = 0; i < kTooMany; ++i) Updown::unlock(Updown::lock());
}

void update_once() {
  Element& old = replace(1);
  synchronize_srcu(Normal::domain());
  end_life(old);
}
/// @}

}  // namespace
}  // namespace srcu::test

using namespace srcu::test;  // NOLINT: tests of it

ENGINE_TEST(fence_after, "Behind a grace period one sees a reader's flag, or the reader sees what was done in it.") {
  test.thread(note_in_section).thread(flag_and_read).thread(wait_and_look);
  test.fini([] { engine::check(!looked || saw_note || saw_flag, "neither saw the other"); });
}
ENGINE_TEST(staged, "Posts that were staged are whole, whoever takes them over.") {
  test.init([] { srcu_set_strategy(Normal::domain(), "nolock:always"); });
  test.thread(post_staged_and_wait).thread([] { call_srcu_nolock(Normal::domain(), &elements[2].head, ran); });
}
ENGINE_TEST(deferred, "A deferred function has run when the queue was flushed.") {
  test.init([] { srcu_start_helper(); }).thread(defer_and_flush).thread(defer_other);
}
ENGINE_TEST(deferred_domain, "A domain is a node of that queue again when the pass has read it.") {
  test.init([] {
    srcu_set_strategy(Normal::domain(), "bpf_defer");
    srcu_start_helper();
  });
  test.thread(post_twice_in_two_passes);
}
ENGINE_TEST(drivers_take_turns, "A grace period that one began is ended by another.") {
  test.thread(ask_and_sleep_in_section).thread(update_meanwhile);
}
ENGINE_TEST(end_seen_early, "Whoever sees that a grace period ended may run its callbacks, before its driver says so.") {
  test.thread(read<Normal>).thread(post_and_look<12>).thread([] { synchronize_srcu(Normal::domain()); });
}
ENGINE_TEST(end_polled_in_next, "Whoever polls may see that a grace period ended by the next one's having begun.") {
  test.thread(read<Normal>).thread(poll_in_passing).thread(synchronize_once).thread(synchronize_once);
}
ENGINE_TEST(end_seen_in_next, "So may whoever runs its callbacks.") {
  test.thread(read<Normal>).thread(post_and_look<40>).thread(synchronize_once).thread(synchronize_once);
}
ENGINE_TEST(end_awaited_in_next, "And whoever waits for it.") {
  test.thread(read<Normal>).thread(update_once).thread(synchronize_twice).thread(synchronize_once);
}
ENGINE_TEST(old_rank, "After the flip no thread opens many sections in the old rank.") {
  test.init(hold_section).thread(many_sections).thread(end_held_section).thread(update_once);
}
