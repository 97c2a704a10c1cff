#include <gtest/gtest.h>
#include <srcu/defer.h>

#include <array>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"
#include "srcu/tests/manual_host.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;
using test::Flag;
using test::ManualHost;

/// A call that notes its order.
struct Noted {
  rcu_head head{};  // first: the function gets its address
  bpf_defer_node node;
  std::vector<int>* order;
  int number;

  static void on_turn(srcu_struct*, rcu_head* head, rcu_callback_t) {
    auto* self = reinterpret_cast<Noted*>(head);
    self->order->push_back(self->number);
  }
  void defer() { bpf_defer(&node, on_turn, nullptr, &head, nullptr); }
};

class Deferred : public testing::Test {
 protected:
  Deferred() { EXPECT_EQ(srcu_start_helper(), 0); }
  std::vector<int> order;
};

TEST_F(Deferred, IsCalledWithItsArgumentsByAnotherThread) {
  static std::thread::id thread;
  static srcu_struct* ssp;
  static rcu_head* head;
  static rcu_callback_t func;
  Domain domain;
  Counted counted;
  bpf_defer_node node;
  bpf_defer(
      &node,
      [](srcu_struct* s, rcu_head* h, rcu_callback_t f) {
        thread = std::this_thread::get_id();
        ssp = s;
        head = h;
        func = f;
        EXPECT_FALSE(irqs_off());
        EXPECT_TRUE(in_callback());
      },
      domain, &counted.head, Counted::on_grace_period);
  bpf_defer_flush();
  EXPECT_NE(thread, std::this_thread::get_id());
  EXPECT_EQ(ssp, static_cast<srcu_struct*>(domain));
  EXPECT_EQ(head, &counted.head);
  EXPECT_EQ(func, &Counted::on_grace_period);
}

TEST_F(Deferred, AreCalledInOrderAndFlushWaitsForAll) {
  std::array<Noted, 100> noted;
  for (int i = 0; i < 100; ++i) noted[static_cast<size_t>(i)] = {{}, {}, &order, i};
  irq_off();
  for (Noted& each : noted) each.defer();
  irq_on();
  bpf_defer_flush();
  ASSERT_EQ(order.size(), noted.size());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST_F(Deferred, AFlushWithNothingToDoReturns) { bpf_defer_flush(); }

TEST_F(Deferred, FromAnNmiUnderEveryLockIsCalled) {
  Domain domain;
  Counted counted;
  bpf_defer_node node;
  {
    const IrqLocked one(domain.usage().data.lock), other(domain.usage().lock);
    nmi_enter();
    bpf_defer(&node, call_srcu, domain, &counted.head, Counted::on_grace_period);
    nmi_exit();
  }
  srcu_barrier(domain);
  EXPECT_EQ(counted.times(), 1u);
}

// The call has begun when the barrier is called, and has not yet posted.
TEST_F(Deferred, IsWaitedForByABarrierWhileItRuns) {
  static Flag inside, go;
  inside.reset();
  go.reset();
  Domain domain;
  Counted counted;
  bpf_defer_node node;
  bpf_defer(
      &node,
      [](srcu_struct* ssp, rcu_head* head, rcu_callback_t func) {
        inside.set();
        EXPECT_TRUE(go.wait());
        call_srcu(ssp, head, func);
      },
      domain, &counted.head, Counted::on_grace_period);
  ASSERT_TRUE(inside.wait());
  Flag returned;
  std::jthread waiter([&] {
    srcu_barrier(domain);
    EXPECT_EQ(counted.times(), 1u);
    returned.set();
  });
  std::jthread another([&] {
    srcu_barrier(domain);
    EXPECT_EQ(counted.times(), 1u);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(returned.is_set());
  go.set();
  EXPECT_TRUE(returned.wait());
}

// A domain must not go while it is a node of the queue, or its posts are on their way.
TEST_F(Deferred, IsWaitedForByCleanup) {
  for (int round = 0; round < 50; ++round) {
    Domain domain;
    EXPECT_EQ(srcu_set_strategy(domain, "bpf_defer"), 0);
    Counted counted;
    call_srcu_nolock(domain, &counted.head, Counted::on_grace_period);
    srcu_barrier(domain);
    EXPECT_EQ(counted.times(), 1u);
    cleanup_srcu_struct(domain);
  }
}

/// The queue served by a host that the test turns by hand.
class DeferredByHand : public test::OnManualHost {
 protected:
  DeferredByHand() {
    bpf_defer_flush();
    set_defer_host(ManualHost::host);
  }
  ~DeferredByHand() override {
    while (ManualHost::run_one()) {
    }
    set_defer_host(native_host);
    bpf_defer_flush();
  }
  std::vector<int> order;
};

/// Defers itself again, `left` times.
struct Again {
  rcu_head head{};
  bpf_defer_node node;
  unsigned left, ran = 0;

  static void on_turn(srcu_struct*, rcu_head* head, rcu_callback_t) {
    auto* self = reinterpret_cast<Again*>(head);
    ++self->ran;
    if (self->left-- > 0) self->defer();
  }
  void defer() { bpf_defer(&node, on_turn, nullptr, &head, nullptr); }
};

TEST_F(DeferredByHand, IsQueuedByAnIrqWorkOnceInterruptsAreOn) {
  Noted one{{}, {}, &order, 1}, other{{}, {}, &order, 2};
  static_cast<void>(ManualHost::asked());
  irq_off();
  one.defer();
  other.defer();
  EXPECT_EQ(ManualHost::asked(), "irq_work");
  irq_on();
  EXPECT_EQ(ManualHost::asked(), "work");
  EXPECT_TRUE(order.empty());
  EXPECT_EQ(ManualHost::run_one(), 0u);
  EXPECT_EQ(order, (std::vector{1, 2}));
  EXPECT_FALSE(ManualHost::run_one());
}

TEST_F(DeferredByHand, FromInsideAPassIsTheNextOnesATickLater) {
  Again again{{}, {}, 5};
  again.defer();
  EXPECT_EQ(ManualHost::run_one(), 0u);
  EXPECT_EQ(again.ran, 1u) << "a pass is what was there as it began";
  for (unsigned pass = 2; pass <= 6; ++pass) {
    EXPECT_EQ(ManualHost::run_one(), kJiffyNs);
    EXPECT_EQ(again.ran, pass);
  }
  EXPECT_FALSE(ManualHost::run_one());
}

TEST_F(DeferredByHand, ANodeThatIsDeferredTwiceIsCalledOnce) {
  std::array<Noted, 3> noted{{{{}, {}, &order, 0}, {{}, {}, &order, 1}, {{}, {}, &order, 2}}};
  for (Noted& each : noted) each.defer();
  noted[0].defer();
  ManualHost::run_one();
  EXPECT_EQ(order.size(), 3u);
  order.clear();
  noted[1].defer();
  noted[1].defer();
  ManualHost::run_one();
  EXPECT_EQ(order, std::vector{1});
}

// One drain has the node on the queue already, and a barrier took what it was for: the next post must not be stranded.
TEST_F(DeferredByHand, ADomainIsANodeOnceAtATime) {
  usage.strategy = &bpf_defer_strategy;
  Counted one, other;
  Noted before{{}, {}, &order, 1};
  before.defer();
  call_srcu_nolock(domain, &one.head, Counted::on_grace_period);
  rcu_head* twice = nullptr;
  usage.data.staged.posts.take(twice);  // as a barrier would
  call_srcu_nolock(domain, &other.head, Counted::on_grace_period);
  ManualHost::run_one();
  EXPECT_EQ(usage.data.callbacks.count(), 1u);
  EXPECT_EQ(order, std::vector{1}) << "what was on the queue before the node is still there";
  call_srcu_nolock(domain, &one.head, Counted::on_grace_period);
  while (ManualHost::run_one()) {
  }
  EXPECT_EQ(one.times() + other.times(), 2u);
}

}  // namespace
}  // namespace srcu
