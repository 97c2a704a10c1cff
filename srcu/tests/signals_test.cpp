// Handlers that read and post, at 10 kHz on each thread, on top of whatever it does: readers, call_srcu(),
// synchronize_srcu(), srcu_barrier(). What handlers post is invoked, once; what they read is alive.
#include <errno.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "srcu/tests/reader_kinds.hpp"
#include "srcu/tests/signal_load.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

constexpr long kEvery = 100'000;  // ns: 10 kHz
constexpr auto kDuration = std::chrono::milliseconds(700);

/// A head that is posted again once its callback has run.
struct Recycled {
  rcu_head head;
  std::atomic<bool> posted{false};
};

std::atomic<uint64_t> invoked{0};

void on_grace_period(rcu_head* head) {
  ++invoked;
  // release: pairs with the acquire in post_one(): the library is through with it.
  reinterpret_cast<Recycled*>(head)->posted.store(false, std::memory_order_release);
}

/// One thread's or one handler's heads.
struct Pool {
  std::array<Recycled, 512> heads;
  size_t next = 0;
  uint64_t posts = 0;

  void post_one(srcu_struct* ssp) {
    Recycled& one = heads[next];
    if (one.posted.load(std::memory_order_acquire)) return;
    next = (next + 1) % heads.size();
    ++posts;
    one.posted.store(true, std::memory_order_relaxed);  // relaxed: the post publishes it
    call_srcu(ssp, &one.head, on_grace_period);
  }
};

struct Element {
  std::atomic<bool> alive{true};
};

/// What all share.
struct Torture {
  const test::ReaderKind* kind;
  srcu_struct* ssp;
  bool handlers_post;
  Element* current = new Element;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> dead_reads{0};

  void read() {
    const test::Token token = kind->lock(ssp);
    const Element* element = srcu_dereference(current, ssp);
    if (!element->alive.load(std::memory_order_relaxed)) ++dead_reads;
    kind->unlock(ssp, token);
  }
  void replace(bool expedited) {
    Element* const old = current;
    rcu_assign_pointer(current, new Element);
    expedited ? synchronize_srcu_expedited(ssp) : synchronize_srcu(ssp);
    old->alive = false;
    delete old;
  }
};
Torture* torture = nullptr;

/// One thread's.
struct Worker {
  Pool own, handlers;
  std::atomic<uint64_t> handled{0}, on_top{0};  // of the update side
};
thread_local Worker* worker = nullptr;

void on_signal(int) {
  Worker* const self = worker;
  if (!self) return;
  ++self->handled;
  if (irqs_off()) ++self->on_top;
  torture->read();
  rcu_read_lock_trace();
  if (torture->handlers_post) self->handlers.post_one(torture->ssp);
  rcu_read_unlock_trace();
}

/// The threads' work: the first alone replaces, the others share the rest.
void work(unsigned role, Worker& self) {
  switch (role) {
    case 0:
      torture->replace(false);
      break;
    case 1:
      self.own.post_one(torture->ssp);
      break;
    case 2:
      srcu_barrier(torture->ssp);
      break;
    case 3:
      torture->read();
      rcu_read_lock_trace();
      rcu_read_lock_trace();
      rcu_read_unlock_trace();
      rcu_read_unlock_trace();
      break;
    case 4:
      srcu_expedite_current(torture->ssp);
      synchronize_srcu_expedited(torture->ssp);
      break;
  }
}

// Returns how many handlers found themselves on top of the update side.
uint64_t run(const test::ReaderKind& kind, const char* strategy, bool handlers_post) {
  test::Domain domain(kind.init);
  EXPECT_EQ(srcu_set_strategy(domain, strategy), 0);
  const test::HandledSignal handled_signal(SIGRTMIN, on_signal);
  Torture shared{&kind, domain, handlers_post};
  torture = &shared;
  invoked = 0;
  std::array<Worker, 5> workers;
  std::vector<std::jthread> threads;
  for (unsigned role = 0; role < workers.size(); ++role) {
    threads.emplace_back([&, role] {
      worker = &workers[role];
      const test::SignalTimer timer(SIGRTMIN, kEvery);
      errno = EDOM;
      while (!shared.stop.load(std::memory_order_relaxed)) work(role, workers[role]);
      EXPECT_EQ(errno, EDOM) << "role " << role;
      worker = nullptr;
    });
  }
  std::this_thread::sleep_for(kDuration);
  shared.stop = true;
  threads.clear();
  srcu_barrier(domain);
  rcu_barrier_tasks_trace();
  uint64_t posted = 0, on_top = 0;
  for (unsigned role = 0; role < workers.size(); ++role) {
    posted += workers[role].own.posts + workers[role].handlers.posts;
    on_top += workers[role].on_top;
    EXPECT_GT(workers[role].handled, 20u) << "role " << role;
    EXPECT_EQ(workers[role].handlers.posts > 0, handlers_post) << "role " << role;
  }
  EXPECT_EQ(posted, invoked);
  EXPECT_EQ(shared.dead_reads, 0u);
  EXPECT_EQ(srcu_open_sections(domain), 0);
  for (const uint32_t rank : {0U, 1U}) EXPECT_EQ(open_sections(usage_of(&rcu_tasks_trace_srcu_struct), rank), 0);
  EXPECT_GT(srcu_batches_completed(domain), 10u);
  delete shared.current;
  return on_top;
}

class Signals : public testing::TestWithParam<test::ReaderKind> {};

INSTANTIATE_TEST_SUITE_P(, Signals, testing::Values(test::kNmisafe, test::kFast), test::name_of);

TEST_P(Signals, ReadAndPostOnTopOfEverything) {
  [[maybe_unused]] const uint64_t on_top = run(GetParam(), "defer_irqoff", true);
#ifndef SRCU_TSAN  // which delivers signals at calls alone
  EXPECT_GT(on_top, 0u);
#endif
}

TEST_P(Signals, ReadOnTopOfEverythingUnderDirect) { run(GetParam(), "direct", false); }

// Threads that never read, but for handlers, some of which come when the thread's exit is all but over.
TEST_P(Signals, ReadInTheLastMomentsOfThreads) {
  test::Domain domain(GetParam().init);
  const test::HandledSignal handled_signal(SIGRTMIN, on_signal);
  Torture shared{&GetParam(), domain, false};
  torture = &shared;
  Worker self;
  const uint32_t before = threads_ever();
  for (unsigned i = 0; i < 6000; ++i) {
    timer_t timer{};
    std::jthread([&] {
      worker = &self;
      sigevent event{};
      event.sigev_notify = SIGEV_THREAD_ID;
      event.sigev_signo = SIGRTMIN;
      event._sigev_un._tid = gettid();
      ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
      const itimerspec once = {{0, 0}, {0, 1000 + static_cast<long>(i * 7919 % 15'000)}};
      timer_settime(timer, 0, &once, nullptr);
    }).join();
    timer_delete(timer);
  }
  EXPECT_GT(self.handled, 0u);
  EXPECT_LE(threads_ever(), 2 * std::max(before, 16u) + 8) << "numbers leak, and sums grow";
  EXPECT_EQ(srcu_open_sections(domain), 0);
  EXPECT_EQ(shared.dead_reads, 0u);
  synchronize_srcu(domain);
  delete shared.current;
}

// A thread's first section and its exit, with handlers that open sections in between.
TEST_P(Signals, InterruptThreadsThatComeAndGo) {
  test::Domain domain(GetParam().init);
  const test::HandledSignal handled_signal(SIGRTMIN, on_signal);
  Torture shared{&GetParam(), domain, false};
  torture = &shared;
  const uint32_t numbers_before = threads_ever();
  std::array<Worker, 2> workers;
  std::vector<std::jthread> spawners;
  for (Worker& each : workers) {
    spawners.emplace_back([&] {
      while (!shared.stop.load(std::memory_order_relaxed)) {
        std::jthread([&] {
          worker = &each;
          const test::SignalTimer timer(SIGRTMIN, 10'000);
          for (int i = 0; i < 20; ++i) shared.read();
          worker = nullptr;
        }).join();
      }
    });
  }
  std::this_thread::sleep_for(kDuration / 2);
  shared.stop = true;
  spawners.clear();
  EXPECT_GT(workers[0].handled + workers[1].handled, 0u);
  EXPECT_EQ(srcu_open_sections(domain), 0);
  EXPECT_EQ(shared.dead_reads, 0u);
  synchronize_srcu(domain);
  EXPECT_LT(threads_ever(), numbers_before + 8) << "numbers leak";
  delete shared.current;
}

}  // namespace
}  // namespace srcu
