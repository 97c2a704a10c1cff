// fork() waits, with the library's locks held, for a lock that others hold around posts and first uses: malloc()'s, where a handler
// interrupted it, or a mutex that a pthread_atfork() handler takes.
#include <atomic>

#include "srcu/platform/env.hpp"
#include "srcu/platform/spinlock.hpp"
#include "srcu/tests/engine/elements.hpp"

namespace srcu::test {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

DEFINE_STATIC_SRCU(late_domain);
SpinWord arena;  // what fork() waits for
std::atomic<uint32_t> began, returned, ran;

void with_arena(void (*body)()) {
  arena.take([] {});
  body();
  arena.drop();
}

void fork_and_go_on() {
  srcu_before_fork();
  with_arena([] {});
  srcu_after_fork_parent();
}

void count(rcu_head*) {
  ran.fetch_add(1, kRelaxed);
  env::futex_wake(ran);
}

void post(srcu_struct* ssp, int element) {
  began.fetch_add(1, kRelaxed);
  call_srcu(ssp, &elements[element].head, count);
  returned.fetch_add(1, std::memory_order_release);
}

/// For ever, if one is lost: a deadlock.
void wait_for_posts(uint32_t posts) {
  for (uint32_t seen; (seen = ran.load(kRelaxed)) != posts;) env::futex_wait(ran, seen);
}

void post_and_wait_alone() {
  with_arena([] { post(Normal::domain(), 1); });
  wait_for_posts(1);
}

void ask_and_poll() {
  static unsigned long cookie;
  with_arena([] { cookie = start_poll_synchronize_srcu(Normal::domain()); });
  while (!poll_state_synchronize_srcu(Normal::domain(), cookie)) env::sleep_ns(100'000'000);
}

void use_late_domain() {
  const int token = srcu_read_lock(&late_domain);
  post(&late_domain, 2);
  srcu_read_unlock(&late_domain, token);
}

void use_late_domain_and_wait() {
  with_arena(use_late_domain);
  wait_for_posts(1);
}

srcu_struct leaving_domain;

void ask_and_clean_up() {
  start_poll_synchronize_srcu(&leaving_domain);
  cleanup_srcu_struct(&leaving_domain);
  engine::check(!leaving_domain.srcu_sup, "a domain that nobody uses is not let go");
}

/// The others are gone wherever they were, but for the arena, which fork() had.
void fork_as_child() {
  srcu_before_fork();
  arena.take([] {});
  engine::become_child();
  arena.drop();
  srcu_after_fork_child();
  for (srcu_struct* ssp : {&normal_domain, &late_domain}) {
    post(ssp, 0);
    srcu_barrier(ssp);
    synchronize_srcu(ssp);
  }
  engine::check(ran.load(kRelaxed) >= returned.load(std::memory_order_acquire), "a post was lost in the child");
  engine::check(ran.load(kRelaxed) <= began.load(kRelaxed), "a callback ran twice in the child");
}

}  // namespace
}  // namespace srcu::test

using namespace srcu::test;  // NOLINT: tests of it

ENGINE_TEST(fork_beside_post, "Who posts holds up no fork that waits for him, and the post is done after it.") {
  test.init([] { srcu_start_helper(); }).thread(fork_and_go_on).thread(post_and_wait_alone);
}
ENGINE_TEST(fork_beside_poll, "So it is with who asks for a grace period.") {
  test.init([] { srcu_start_helper(); }).thread(fork_and_go_on).thread(ask_and_poll);
}
ENGINE_TEST(fork_beside_first_use, "And with who makes a domain.") {
  test.init([] { srcu_start_helper(); }).thread(fork_and_go_on).thread(use_late_domain_and_wait);
}
ENGINE_TEST(fork_child_of_posters, "The child has what was posted while the fork was under way, to new domains, too.") {
  test.init([] { srcu_start_helper(); });
  test.thread(fork_as_child).thread([] { with_arena([] { post(Normal::domain(), 1); }); }).thread([] { with_arena(use_late_domain); });
}
ENGINE_TEST(fork_beside_cleanup, "A fork's end does nothing more for a domain that is cleaned up meanwhile.") {
  test.init([] {
    srcu_start_helper();
    engine::check(init_srcu_struct(&leaving_domain) == 0, "no domain");
  });
  test.thread(fork_and_go_on).thread(ask_and_clean_up).thread([] { with_arena([] { start_poll_synchronize_srcu(Normal::domain()); }); });
}
