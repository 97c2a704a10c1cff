#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/tests/manual_host.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Flag;
using test::ManualHost;

class Callbacks : public test::OnManualHost {
 protected:
  bool invoke() { return ManualHost::run(usage.data.invoke_work); }
  void run_all() {
    while (ManualHost::run(usage.gp_work) || invoke()) {
    }
  }
  // A barrier's callback is seen to wait a little before its grace period is asked for.
  bool run_until(const Flag& returned) {
    return test::eventually([&] { return run_all(), returned.is_set(); });
  }
};

TEST_F(Callbacks, APostAsksForAGracePeriodAndIsInvokedAfterIt) {
  Counted counted;
  counted.post(domain);
  EXPECT_EQ(next_turn(), 0u);
  EXPECT_FALSE(invoke());
  ASSERT_TRUE(ManualHost::run(usage.gp_work));
  EXPECT_EQ(counted.times(), 0u);
  ASSERT_TRUE(invoke()) << "the end of a grace period has callbacks invoked";
  EXPECT_EQ(counted.times(), 1u);
  EXPECT_EQ(usage.data.waiting, 0u);
}

TEST_F(Callbacks, NotBeforeAnOldReaderIsGone) {
  const uint32_t rank = current();
  open(rank);
  Counted counted;
  counted.post(domain);
  turn();
  invoke_callbacks(&usage);
  EXPECT_EQ(counted.times(), 0u);
  close(rank);
  run_all();
  EXPECT_EQ(counted.times(), 1u);
}

TEST_F(Callbacks, PostedUnderWayWaitForTheNextGracePeriod) {
  const uint32_t rank = current();
  open(rank);
  Counted first, second;
  first.post(domain);
  turn();
  second.post(domain);
  open(1 - rank);
  close(rank);
  turn();
  invoke_callbacks(&usage);
  EXPECT_EQ(first.times(), 1u);
  EXPECT_EQ(second.times(), 0u);
  close(1 - rank);
  run_all();
  EXPECT_EQ(second.times(), 1u);
}

/// A callback that notes its place in the order.
struct Placed {
  rcu_head head;
  std::vector<int>* order;
  int number;

  static void on_grace_period(rcu_head* head) {
    const auto* self = reinterpret_cast<Placed*>(head);
    self->order->push_back(self->number);
  }
};

TEST_F(Callbacks, ComeInTheOrderOfPosting) {
  std::vector<int> order;
  std::array<Placed, 7> placed;
  for (int i = 0; i < 7; ++i) {
    placed[i] = {{}, &order, i};
    if (i == 3) irq_off();  // from here on they are staged
    if (i == 6) irq_on();
    call_srcu(domain, &placed[i].head, Placed::on_grace_period);
  }
  run_all();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6}));
}

TEST_F(Callbacks, PostedWithInterruptsOffAreStagedUntilTheyAreOn) {
  Counted counted;
  irq_off();
  counted.post(domain);
  EXPECT_FALSE(usage.data.staged.posts.empty());
  EXPECT_EQ(usage.data.callbacks.count(), 0u);
  irq_on();
  EXPECT_TRUE(usage.data.staged.posts.empty());
  EXPECT_EQ(usage.data.callbacks.count(), 1u);
  EXPECT_EQ(next_turn(), 0u);
  run_all();
  EXPECT_EQ(counted.times(), 1u);
}

TEST_F(Callbacks, PostedInNmiAreStagedToo) {
  Counted counted;
  nmi_enter();
  counted.post(domain);
  EXPECT_FALSE(usage.data.staged.posts.empty());
  nmi_exit();
  EXPECT_TRUE(usage.data.staged.posts.empty()) << "it interrupted code with interrupts on";
  run_all();
  EXPECT_EQ(counted.times(), 1u);
}

/// Posts itself again until it has run three times.
struct Reposting {
  rcu_head head;
  srcu_struct* ssp;
  unsigned ran = 0;

  static void on_grace_period(rcu_head* head) {
    auto* self = reinterpret_cast<Reposting*>(head);
    if (++self->ran < 3) call_srcu(self->ssp, head, on_grace_period);
  }
};

TEST_F(Callbacks, MayPostThemselvesAgain) {
  Reposting reposting{{}, domain};
  call_srcu(domain, &reposting.head, Reposting::on_grace_period);
  run_all();
  EXPECT_EQ(reposting.ran, 3u);
}

TEST_F(Callbacks, OneBatchAtATime) {
  static Usage* own;
  own = &usage;
  static Counted behind;
  rcu_head head;
  call_srcu(domain, &head, [](rcu_head*) {
    behind.post(own->domain);
    process_grace_periods(own);
    EXPECT_TRUE(own->data.invoking);
    invoke_callbacks(own);  // as another helper would
    EXPECT_EQ(behind.times(), 0u) << "a second invoker overtook the first";
  });
  run_all();
  EXPECT_EQ(behind.times(), 1u);
}

TEST_F(Callbacks, KnowThatTheyAreCallbacks) {
  rcu_head head;
  EXPECT_FALSE(in_callback());
  call_srcu(domain, &head, [](rcu_head*) { EXPECT_TRUE(in_callback()); });
  run_all();
  EXPECT_FALSE(in_callback());
}

TEST_F(Callbacks, ABarrierWithoutCallbacksReturnsAndStartsNothing) {
  srcu_barrier(domain);
  EXPECT_FALSE(next_turn());
  EXPECT_EQ(seq(), kSeqFirst);
}

TEST_F(Callbacks, ABarrierWaitsForWhatWaits) {
  Counted counted;
  counted.post(domain);
  Flag returned;
  std::jthread waiter([&] {
    srcu_barrier(domain);
    EXPECT_EQ(counted.times(), 1u);
    returned.set();
  });
  EXPECT_TRUE(test::eventually([&] { return usage.data.waiting == 2; }));
  EXPECT_FALSE(returned.is_set());
  EXPECT_TRUE(run_until(returned));
}

TEST_F(Callbacks, ABarrierWaitsForWhatIsReady) {
  Counted counted;
  counted.post(domain);
  turn();
  Flag returned;
  std::jthread waiter([&] {
    srcu_barrier(domain);
    EXPECT_EQ(counted.times(), 1u);
    returned.set();
  });
  EXPECT_TRUE(test::eventually([&] { return usage.data.waiting == 2; }));
  EXPECT_TRUE(test::eventually([&] { return returned.is_set() || invoke(); }));
  EXPECT_TRUE(returned.wait());
}

TEST_F(Callbacks, ABarrierTakesInWhatIsStaged) {
  Counted counted;
  irq_off();
  counted.post(domain);
  Flag returned;
  std::jthread waiter([&] {
    srcu_barrier(domain);
    EXPECT_EQ(counted.times(), 1u);
    returned.set();
  });
  EXPECT_TRUE(test::eventually([&] { return usage.data.waiting == 2; }));
  EXPECT_FALSE(returned.is_set());
  EXPECT_TRUE(run_until(returned));
  irq_on();  // what was queued finds nothing any more
}

// The last callback has been taken from the list, and runs: the barrier still waits for its end.
TEST_F(Callbacks, ABarrierWaitsForWhatRuns) {
  static Flag inside, go;
  static std::atomic<bool> finished{false};
  rcu_head head;
  call_srcu(domain, &head, [](rcu_head*) {
    inside.set();
    EXPECT_TRUE(go.wait());
    finished = true;
  });
  turn();
  std::jthread helper([&] { run_all(); });
  ASSERT_TRUE(inside.wait());
  Flag returned;
  std::jthread waiter([&] {
    srcu_barrier(domain);
    EXPECT_TRUE(finished);
    returned.set();
  });
  EXPECT_TRUE(test::eventually([&] { return usage.data.waiting == 2; }));
  EXPECT_FALSE(returned.is_set());
  go.set();
  helper.join();
  EXPECT_TRUE(run_until(returned));
}

TEST_F(Callbacks, ABarrierDoesNotWaitForLaterPosts) {
  Counted before, after;
  before.post(domain);
  turn();
  Flag returned;
  std::jthread waiter([&] {
    srcu_barrier(domain);
    returned.set();
  });
  EXPECT_TRUE(test::eventually([&] { return usage.data.waiting == 2; }));
  open(current());
  after.post(domain);
  invoke();
  EXPECT_TRUE(returned.wait());
  EXPECT_EQ(after.times(), 0u);
  for (const uint32_t rank : {0U, 1U})
    if (open_sections(usage, rank)) close(rank);
  run_all();
  EXPECT_EQ(after.times(), 1u);
}

TEST_F(Callbacks, SeveralBarriersAtATimeAllReturn) {
  Counted counted;
  counted.post(domain);
  std::atomic<unsigned> returned{0};
  std::vector<std::jthread> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.emplace_back([&] {
      srcu_barrier(domain);
      EXPECT_EQ(counted.times(), 1u);
      ++returned;
    });
  }
  EXPECT_TRUE(test::eventually([&] { return usage.data.waiting == 6; }));
  run_all();
  EXPECT_TRUE(test::eventually([&] { return returned == 5; }));
}

}  // namespace
}  // namespace srcu
