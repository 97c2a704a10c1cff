// What is promised where the system refuses memory, or threads: init says so, what init made needs none any more, and what is made by
// first use ends the program in the library's own words (engine_ways.py has them).
#include <cerrno>

#include "srcu/defer.h"
#include "srcu/platform/env.hpp"
#include "srcu/tests/engine/elements.hpp"

namespace srcu::test {
namespace {

srcu_struct one, made;
int invoked, deferred;

struct Made {
  static srcu_struct* domain() { return &made; }
  static int lock() { return srcu_read_lock(&made); }
  static void unlock(int token) { srcu_read_unlock(&made, token); }
};

void use_if_made() {
  const int status = init_srcu_struct_fast(&one);
  if (status != 0) return engine::check(status == -ENOMEM || status == -EAGAIN, "not the error for it");
  srcu_ctr* const token = srcu_read_lock_fast(&one);
  srcu_read_unlock_fast(&one, token);
  synchronize_srcu(&one);
  cleanup_srcu_struct(&one);
}

/// Where it stages all that is not said to be safe.
void make_in_the_end() {
  while (init_srcu_struct(&made) != 0) env::sleep_ns(1);
  engine::check(srcu_set_strategy(&made, "nolock:always") == 0, "no strategy");
}

void update_each_way() {
  Element& first = replace(1);
  synchronize_srcu_expedited(&made);
  end_life(first);
  Element& second = replace(2);
  const unsigned long cookie = start_poll_synchronize_srcu(&made);
  while (!poll_state_synchronize_srcu(&made, cookie)) env::sleep_ns(100'000);
  end_life(second);
}

void post_each_way() {
  static rcu_head heads[2];
  static bpf_defer_node node;
  const auto count = [](rcu_head*) { ++invoked; };
  call_srcu(&made, &heads[0], count);
  call_srcu_nolock(&made, &heads[1], count);
  bpf_defer(&node, [](srcu_struct*, rcu_head*, rcu_callback_t) { ++deferred; }, nullptr, nullptr, nullptr);
  bpf_defer_flush();
  srcu_barrier(&made);
  engine::check(invoked == 2 && deferred == 1, "a callback, or a deferred function, has not run");
}

void fork_as_child() {
  srcu_before_fork();
  engine::become_child();
  srcu_after_fork_child();
}

void post_by_first_use() {
  static rcu_head head;
  call_srcu(Normal::domain(), &head, [](rcu_head*) {});
  srcu_barrier(Normal::domain());
}

}  // namespace
}  // namespace srcu::test

using namespace srcu::test;  // NOLINT: tests of it

ENGINE_TEST(no_memory, "Where memory or a thread is refused, init says so.") { test.thread(use_if_made); }
ENGINE_TEST(no_memory_later, "A domain that init_srcu_struct() has made needs neither any more.") {
  test.init(make_in_the_end).thread(read_twice<Made>).thread(update_each_way).thread(post_each_way);
  test.fini([] {
    cleanup_srcu_struct(&made);
    engine::check(!made.srcu_sup, "a domain that nobody uses is not let go");
  });
}
ENGINE_TEST(no_memory_at_first_read, "First use says in one line that it has no memory.") { test.thread(read<Fast>).thread(read<Fast>); }
ENGINE_TEST(no_memory_at_first_wait, "So it does at an update.") {
  test.thread([] { synchronize_srcu(Normal::domain()); });
}
ENGINE_TEST(no_memory_at_first_post, "And at a post, also where it is a thread that is refused.") { test.thread(post_by_first_use); }
ENGINE_TEST(no_memory_at_fork, "A child whose parent had the helper says so if it can have none.") {
  test.init(make_in_the_end).thread(fork_as_child);
}
