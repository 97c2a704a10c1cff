// fork() again and again, with readers, posters, synchronizers, first users and handlers at work in the parent. Each
// child uses every domain, and finds all callbacks that were posted.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "srcu/platform/env.hpp"
#include "srcu/tests/reader_kinds.hpp"
#include "srcu/tests/signal_load.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;

constexpr unsigned kRounds = test::kSanitized ? 15 : 60, kFirstUses = 16;  // the latter a round
constexpr long kEvery = 500'000;  // ns, between the signals of each thread

struct Posted {
  rcu_head head;
  std::atomic<bool> posted{false};
};

/// One thread's heads, in an order that survives being interrupted by its own handlers: those have another pool.
struct Pool {
  std::array<Posted, 256> heads;
  size_t next = 0;
  std::atomic<uint64_t> began{0}, returned{0};  // posts

  void post_one(srcu_struct* ssp);
};

std::atomic<uint64_t> invoked{0};

void Pool::post_one(srcu_struct* ssp) {
  Posted& one = heads[next];
  if (one.posted.load(std::memory_order_acquire)) return;
  next = (next + 1) % heads.size();
  one.posted = true;
  ++began;
  call_srcu(ssp, &one.head, [](rcu_head* head) {
    ++invoked;
    reinterpret_cast<Posted*>(head)->posted.store(false, std::memory_order_release);
  });
  ++returned;
}

struct Worker {
  Pool own, handlers;
};

struct Load {
  std::array<test::ReaderKind, 3> kinds = {test::kNmisafe, test::kFast, test::kUpdown};
  std::array<srcu_struct, 3> domains;
  std::array<Worker, 7> workers;
  std::vector<srcu_struct> fresh{kRounds * kFirstUses};
  std::atomic<unsigned> fresh_used{0}, fresh_allowed{0};  // used: began to be
  std::atomic<bool> stop{false};

  void read(unsigned which, uint64_t pause_ns) {
    const test::Token token = kinds[which].lock(&domains[which]);
    if (pause_ns) env::sleep_ns(pause_ns);
    kinds[which].unlock(&domains[which], token);
  }

  void first_use() {
    const unsigned i = fresh_used.load();
    env::sleep_ns(20'000);  // so that some are left when the fork comes
    if (i == fresh_allowed) return;
    ++fresh_used;
    if (i % 3 == 0) srcu_read_unlock(&fresh[i], srcu_read_lock(&fresh[i]));
    if (i % 3 == 1) synchronize_srcu(&fresh[i]);
    if (i % 3 == 2) workers[5].own.post_one(&fresh[i]);
  }

  void work(unsigned role, unsigned round) {
    const unsigned which = round % domains.size();
    if (round % 16 == 0) env::sleep_ns(50'000);  // leaves something of the CPUs to the child
    if (role < 2) read(which, role ? 0 : 20'000);
    if (role == 2) workers[role].own.post_one(&domains[which]);
    if (role == 3) synchronize_srcu(&domains[which]);
    if (role == 4) synchronize_srcu_expedited(&domains[which]);
    if (role == 5) first_use();
    if (role == 6) {
      srcu_struct own;
      init_srcu_struct(&own);
      workers[role].own.post_one(&own);
      srcu_barrier(&own);
      cleanup_srcu_struct(&own);
    }
  }
};
Load* load = nullptr;
thread_local Worker* worker = nullptr;
thread_local unsigned signals = 0;

void on_signal(int) {
  if (!worker) return;
  const unsigned which = ++signals % load->domains.size();
  load->read(which, 0);
  worker->handlers.post_one(&load->domains[which]);
}

uint64_t sum(std::atomic<uint64_t> Pool::*count) {
  uint64_t total = 0;
  for (Worker& each : load->workers) total += (each.own.*count) + (each.handlers.*count);
  return total;
}

int use(srcu_struct* ssp) {
  CHILD_CHECK(srcu_open_sections(ssp) == 0);
  synchronize_srcu(ssp);
  Counted counted;
  counted.post(ssp);
  srcu_barrier(ssp);
  CHILD_CHECK(counted.times() == 1);
  cleanup_srcu_struct(ssp);
  CHILD_CHECK(ssp->srcu_sup == nullptr);
  return 0;
}

// In a child: the load is gone, and left everything as it was at any instruction.
int child() {
  for (srcu_struct& ssp : load->domains) srcu_barrier(&ssp);
  const unsigned used = load->fresh_used;
  for (unsigned i = used < kFirstUses ? 0 : used - kFirstUses; i < used; ++i) srcu_barrier(&load->fresh[i]);
  const uint64_t began = sum(&Pool::began), returned = sum(&Pool::returned);
  // One that was posted to a domain of a vanished thread's own, and waits there, is nobody's.
  CHILD_CHECK(invoked <= began && invoked + 1 >= returned);
  for (srcu_struct& ssp : load->domains) use(&ssp);
  for (unsigned i = used < 4 ? 0 : used - 4; i < used; ++i) use(&load->fresh[i]);
  return 0;
}

TEST(ForkUnderLoad, TheChildFindsEverythingAndTheParentGoesOn) {
  NEEDS_VANISHED_THREADS();
  const test::HandledSignal handled_signal(SIGRTMIN, on_signal);
  Load shared;
  load = &shared;
  invoked = 0;
  for (size_t i = 0; i < shared.domains.size(); ++i) ASSERT_EQ(shared.kinds[i].init(&shared.domains[i]), 0);
  for (srcu_struct& ssp : shared.fresh) ssp = SRCU_STRUCT_INIT(fresh, SRCU_KIND_NORMAL);
  std::vector<std::jthread> threads;
  for (unsigned role = 0; role < shared.workers.size(); ++role) {
    threads.emplace_back([&shared, role] {
      worker = &shared.workers[role];
      const test::SignalTimer timer(SIGRTMIN, kEvery);
      for (unsigned round = 0; !shared.stop; ++round) shared.work(role, round);
      worker = nullptr;
    });
  }
  uint64_t before = 0;
  for (unsigned round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) {
    shared.fresh_allowed += kFirstUses;
    EXPECT_EQ(test::in_child(child), 0) << "round " << round;
    EXPECT_TRUE(test::eventually([&] { return invoked > before; })) << "the parent stands still";
    before = invoked;
  }
  shared.stop = true;
  threads.clear();
  for (srcu_struct& ssp : shared.domains) srcu_barrier(&ssp);
  for (unsigned i = 0; i < shared.fresh_used; ++i) srcu_barrier(&shared.fresh[i]);
  EXPECT_EQ(invoked, sum(&Pool::returned));
  for (srcu_struct& ssp : shared.domains) cleanup_srcu_struct(&ssp);
  for (unsigned i = 0; i < shared.fresh_used; ++i) cleanup_srcu_struct(&shared.fresh[i]);
  for (srcu_struct& ssp : shared.domains) EXPECT_EQ(ssp.srcu_sup, nullptr);
}

}  // namespace
}  // namespace srcu
