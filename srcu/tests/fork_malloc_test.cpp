// fork() waits for locks of others, while the library's are held: for malloc()'s, and for what pthread_atfork() handlers take. So
// those who hold one may read and post meanwhile: in a handler that interrupted malloc(), or under a mutex.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "srcu/tests/signal_load.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;

constexpr unsigned kForks = test::kSanitized ? 40 : 150, kFirstUses = 8;  // the latter for each fork
constexpr long kEvery = 100'000;  // ns, between the signals of each thread

struct Head {
  rcu_head head;  // first: the callback casts
  std::atomic<bool> posted;
};

struct Load {
  std::array<srcu_struct, 2> domains;
  std::vector<srcu_struct> fresh{kForks * kFirstUses};
  std::array<Head, 4096> heads{};
  std::atomic<unsigned> next{0}, fresh_used{0}, fresh_allowed{0};
  unsigned settled = 0;  // of the fresh ones: all callbacks have run
  std::atomic<uint64_t> began{0}, returned{0}, invoked{0};
  std::mutex mutex;

  void post(srcu_struct* ssp);
  void settle();
};
Load* load = nullptr;

void Load::post(srcu_struct* ssp) {
  Head& one = heads[next++ % heads.size()];
  if (one.posted.exchange(true)) return;
  ++began;
  call_srcu(ssp, &one.head, [](rcu_head* head) {
    ++load->invoked;
    reinterpret_cast<Head*>(head)->posted = false;
  });
  ++returned;
}

void Load::settle() {
  for (srcu_struct& ssp : domains) srcu_barrier(&ssp);
  for (const unsigned used = fresh_used; settled < used; ++settled) srcu_barrier(&fresh[settled]);
}

void read(srcu_struct* ssp) { srcu_read_unlock(ssp, srcu_read_lock(ssp)); }

void on_signal(int) {
  srcu_struct* const ssp = &load->domains[load->next % load->domains.size()];
  read(ssp);
  load->post(ssp);
  if (load->next % 4 != 0) return;
  unsigned fresh = load->fresh_used;
  if (fresh == load->fresh_allowed || !load->fresh_used.compare_exchange_strong(fresh, fresh + 1)) return;
  read(&load->fresh[fresh]);
  if (fresh % 2) load->post(&load->fresh[fresh]);
}

void allocate_for_ever() {
  const test::SignalTimer timer(SIGRTMIN, kEvery);
  std::array<void*, 64> kept{};
  for (unsigned random = 1;;) {
    random = random * 1103515245U + 12345U;
    void*& one = kept[random >> 16 & 63];
    free(one);
    one = malloc(1500 + (random >> 8) % 20'000);
  }
}

void post_under_mutex_for_ever() {
  for (unsigned round = 0;; ++round) {
    const std::lock_guard locked(load->mutex);
    load->post(&load->domains[round % 2]);
    if (round % 16 == 0) start_poll_synchronize_srcu(&load->domains[0]);
  }
}

/// In a child of a process under load: nothing is lost, nothing runs twice, and all works.
int grandchild() {
  load->settle();
  CHILD_CHECK(load->invoked <= load->began && load->invoked >= load->returned);
  const uint64_t before = load->invoked;
  for (srcu_struct& ssp : load->domains) {
    read(&ssp);
    Counted counted;
    counted.post(&ssp);
    srcu_barrier(&ssp);
    CHILD_CHECK(counted.times() == 1);
    synchronize_srcu(&ssp);
  }
  CHILD_CHECK(load->invoked == before);
  return 0;
}

/// A process of its own: its threads never end, its atfork handlers stay, and where it hangs SIGALRM ends it.
int fork_under(std::vector<void (*)()> bodies) {
  alarm(60);
  load = new Load;
  for (srcu_struct& ssp : load->domains) CHILD_CHECK(init_srcu_struct(&ssp) == 0);
  for (srcu_struct& ssp : load->fresh) ssp = SRCU_STRUCT_INIT(fresh, SRCU_KIND_NORMAL);
  const test::HandledSignal handled_signal(SIGRTMIN, on_signal);
  for (auto* body : bodies) std::thread(body).detach();
  for (unsigned i = 0; i < kForks; ++i) {
    load->settle();
    const uint64_t before = load->invoked;
    load->fresh_allowed += kFirstUses;
    CHILD_CHECK(test::in_child(grandchild) == 0);
    CHILD_CHECK(test::eventually([&] { return load->invoked > before; }, std::chrono::seconds(10)));
  }
  _exit(0);
}

TEST(ForkAndOthersLocks, HandlersOnTopOfMallocReadPostAndMakeDomains) {
  NEEDS_VANISHED_THREADS();
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer's own malloc() does not wait for its locks at a fork: the child finds them taken";
#endif
  EXPECT_EQ(test::in_child([] { return fork_under({allocate_for_ever, allocate_for_ever}); }), 0);
}

TEST(ForkAndOthersLocks, APosterHoldsAMutexThatAnAtforkHandlerTakes) {
  NEEDS_VANISHED_THREADS();
  EXPECT_EQ(test::in_child([] {
              static constexpr auto unlock = [] { load->mutex.unlock(); };
              pthread_atfork([] { load->mutex.lock(); }, unlock, unlock);
              return fork_under({post_under_mutex_for_ever, post_under_mutex_for_ever});
            }),
            0);
}

}  // namespace
}  // namespace srcu
