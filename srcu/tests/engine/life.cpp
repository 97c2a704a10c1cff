// Domains that come and go, handlers that read and post, and the helper's sleep.
#include <atomic>
#include <thread>

#include "srcu/core/threads.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/tests/engine/elements.hpp"

namespace srcu::test {
namespace {

srcu_struct one, another;
int invoked;  // by one thread at a time, and looked at after a barrier

void count(rcu_head*) { ++invoked; }

void use(srcu_struct& domain) {
  const int token = srcu_read_lock(&domain);
  engine::check(elements[0].value == 100, "not the value");
  srcu_read_unlock(&domain, token);
}

void make_use_and_end() {
  init_srcu_struct(&one);
  std::thread reader([] { use(one); });
  call_srcu(&one, &elements[1].head, count);
  synchronize_srcu(&one);
  reader.join();
  srcu_barrier(&one);
  engine::check(invoked == 1, "srcu_barrier() returned before a callback had run");
  cleanup_srcu_struct(&one);
}

void poll_and_end() {
  init_srcu_struct(&one);
  start_poll_synchronize_srcu(&one);  // goes on in the helper's thread
  cleanup_srcu_struct(&one);
}

void make_and_end() {
  init_srcu_struct(&one);
  cleanup_srcu_struct(&one);
}

template <class Kind>
void update() {
  Element& old = replace(1);
  synchronize_srcu(Kind::domain());
  end_life(old);
}

/// Wherever the handler comes: in a section, before, or in the thread's first use.
template <class Kind>
void read_with_handler() {
  engine::set_handler(read<Kind>);
  read_twice<Kind>();
  engine::set_handler(nullptr);
}

/// All numbers are taken. One owner is gone, and whoever looks second finds him: may be a handler, in the middle of the first look.
void take_all_numbers() {
  static std::atomic<bool> others_taken;
  std::thread first([] {
    take_thread_number();
    while (!others_taken.load()) env::cpu_relax();
    srcu_slot_offset = 0;
  });
  while (threads_ever() < kMaxThreads) {
    srcu_slot_offset = 0;
    take_thread_number();
  }
  others_taken.store(true);
  first.join();
}

void read_without_a_number_with_handler() {
  read_with_handler<Normal>();
  engine::check(sections_in_slot_0 == 0, "a section is still noted in slot 0 that was closed elsewhere");
}

/// On top of posts and of whatever lock they hold.
void post_with_handler() {
  static bool posted;
  engine::set_handler([] {
    call_srcu(Normal::domain(), &elements[2].head, count);
    posted = true;
  });
  call_srcu(Normal::domain(), &elements[1].head, count);
  engine::set_handler(nullptr);
  srcu_barrier(Normal::domain());
  engine::check(invoked == (posted ? 2 : 1), "a handler's post was lost, or ran twice");
}

void post_and_wait() {
  call_srcu(Normal::domain(), &elements[1].head, count);
  srcu_barrier(Normal::domain());
  engine::check(invoked == 1, "srcu_barrier() returned before a callback had run");
}

void poll_to_the_end() {
  const unsigned long cookie = start_poll_synchronize_srcu(Fast::domain());
  while (!poll_state_synchronize_srcu(Fast::domain(), cookie)) env::sleep_ns(100'000);
}

/// \name fork
/// @{
void fork_as_parent() {
  srcu_before_fork();
  srcu_after_fork_parent();
  update<Normal>();
}

int child_ran;

void fork_as_child() {
  srcu_before_fork();
  engine::become_child();
  srcu_after_fork_child();
  use(normal_domain);
  call_srcu(Normal::domain(), &elements[2].head, [](rcu_head*) { ++child_ran; });
  update<Normal>();
  srcu_barrier(Normal::domain());
  engine::check(child_ran == 1, "a child's callback was lost, or ran twice");
  engine::check(invoked <= 1, "a callback of the parent's ran twice in the child");
}

void post() { call_srcu(Normal::domain(), &elements[1].head, count); }
/// @}

}  // namespace
}  // namespace srcu::test

using namespace srcu::test;  // NOLINT: tests of it

ENGINE_TEST(cleanup, "Nothing uses a domain that was cleaned up after its readers, posts and a barrier.") {
  test.thread(make_use_and_end).thread(read<Normal>);
}
ENGINE_TEST(cleanup_after_polling, "Nor after a grace period that nobody waited for.") { test.thread(poll_and_end); }
ENGINE_TEST(two_domains, "One domain may be made while another ends.") {
  test.thread(make_and_end).thread([] { init_srcu_struct(&another); });
}
ENGINE_TEST(handlers_read, "Handlers read on top of readers.") { test.thread(read_with_handler<Normal>).thread(update<Normal>); }
ENGINE_TEST(fast_handlers_read, "The same in a fast domain.") { test.thread(read_with_handler<Fast>).thread(update<Fast>); }
ENGINE_TEST(handlers_find_a_number, "A handler may take the number that its thread was just refused.") {
  test.init(take_all_numbers).thread(read_without_a_number_with_handler);
}
ENGINE_TEST(handlers_post, "Handlers post on top of posts.") { test.thread(post_with_handler).thread(read<Normal>); }
ENGINE_TEST(helper_is_woken, "The helper sleeps through nothing that is queued.") { test.thread(post_and_wait).thread(poll_to_the_end); }
ENGINE_TEST(fork_parent, "In the parent all goes on after a fork.") {
  test.thread(fork_as_parent).thread(read_twice<Normal>).thread(post_and_wait);
}
ENGINE_TEST(fork_child, "The child goes on without the threads that it does not have, wherever they were.") {
  test.thread(fork_as_child).thread(read_twice<Normal>).thread(post);
}
ENGINE_TEST(fork_child_of_updaters, "Also where one drove a grace period.") {
  test.thread(fork_as_child).thread(read_twice<Normal>).thread([] { synchronize_srcu(Normal::domain()); });
}
