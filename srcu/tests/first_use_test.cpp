// Static domains are made by their first user, whoever that is. Here sixteen threads, and handlers on top of them, race
// for it in a process of their own, many times.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <barrier>
#include <thread>
#include <vector>

#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

constexpr unsigned kThreads = 16, kDomains = 6;

srcu_struct domains[kDomains] = {
    SRCU_STRUCT_INIT(a, SRCU_KIND_NORMAL), SRCU_STRUCT_INIT(b, SRCU_KIND_NORMAL), SRCU_STRUCT_INIT(c, SRCU_KIND_NORMAL),
    SRCU_STRUCT_INIT(d, SRCU_KIND_NORMAL), SRCU_STRUCT_INIT(e, SRCU_KIND_NORMAL), SRCU_STRUCT_INIT(f, SRCU_KIND_NORMAL)};

std::array<rcu_head, 4 * kThreads * kDomains> heads;
std::atomic<unsigned> posts{0}, invocations{0}, handled{0};

void post(srcu_struct* ssp) {
  call_srcu(ssp, &heads[posts++], [](rcu_head*) { ++invocations; });
}

void on_signal(int) {
  ++handled;
  for (unsigned i = kDomains; i-- > 0;) {  // against the threads' order
    const int token = srcu_read_lock(&domains[i]);
    post(&domains[i]);
    srcu_read_unlock(&domains[i], token);
  }
}

void use(srcu_struct* ssp, unsigned how) {
  if (how % 4 == 0) srcu_read_unlock(ssp, srcu_read_lock(ssp));
  if (how % 4 == 1) post(ssp);
  if (how % 4 == 2) synchronize_srcu(ssp);
  if (how % 4 == 3) poll_state_synchronize_srcu(ssp, start_poll_synchronize_srcu(ssp));
}

size_t entries(const srcu_struct* ssp) {
  const IrqLocked locked(registry_lock);
  size_t found = 0;
  for (Usage* usage = first_domain(); usage; usage = next_domain(*usage)) found += usage->domain == ssp;
  return found;
}

int race() {
  CHILD_CHECK(srcu_start_helper() == 0);
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, nullptr);
  std::barrier start(kThreads);
  std::array<std::array<srcu_usage*, kDomains>, kThreads> found;
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      if (t % 8 == 0) raise(SIGUSR1);
      for (unsigned d = 0; d < kDomains; ++d) {
        use(&domains[d], t + d);
        found[t][d] = __atomic_load_n(&domains[d].srcu_sup, __ATOMIC_ACQUIRE);
      }
    });
    pthread_kill(threads.back().native_handle(), SIGUSR1);
  }
  threads.clear();
  CHILD_CHECK(handled >= kThreads && posts > kThreads * kDomains);
  for (srcu_struct& ssp : domains) srcu_barrier(&ssp);
  CHILD_CHECK(invocations == posts);
  for (unsigned d = 0; d < kDomains; ++d) {
    for (unsigned t = 0; t < kThreads; ++t) CHILD_CHECK(found[t][d] == domains[d].srcu_sup);
    CHILD_CHECK(entries(&domains[d]) == 1);
    CHILD_CHECK(domains[d].srcu_current == &usage_of(&domains[d]).slots[0].rank[usage_of(&domains[d]).rank]);
    CHILD_CHECK(srcu_open_sections(&domains[d]) == 0);
    cleanup_srcu_struct(&domains[d]);
    CHILD_CHECK(domains[d].srcu_sup == nullptr);
  }
  return 0;
}

TEST(FirstUse, OneWinsAndAllUseItsDomain) {
  for (int round = 0; round < (test::kSanitized ? 20 : 100); ++round) ASSERT_EQ(test::in_child(race), 0) << round;
}

}  // namespace
}  // namespace srcu
