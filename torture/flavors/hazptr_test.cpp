#include <gtest/gtest.h>
#include <signal.h>
#include <srcu/defer.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "srcu/platform/irq.hpp"
#include "srcu/tests/signal_load.hpp"
#include "torture/flavors/hazptr_domain.hpp"
#include "torture/flavors/registry.hpp"

namespace torture::hazptr {
namespace {

using std::chrono::milliseconds;

struct Object {
  Head head{};  // first: the callback casts
  std::atomic<int> ends{0};
};
void end(Head* head) { ++reinterpret_cast<Object*>(head)->ends; }

/// One domain with one record, and objects behind slots.
class Hazptr : public testing::Test {
 protected:
  Hazptr() : record(domain.claim()) {
    for (size_t i = 0; i < objects.size(); ++i) slots[i] = &objects[i];
  }
  ~Hazptr() override { Domain::release(record); }

  void retire(size_t i) {
    std::atomic_ref(slots[i]).store(nullptr, std::memory_order_release);
    domain.call_hazptr(&objects[i].head, end);
  }
  /// True once it has ended: at once, or a few passes later.
  bool ends(size_t i, milliseconds patience = milliseconds(5000)) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (objects[i].ends == 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(milliseconds(1));
    return objects[i].ends == 1;
  }
  bool stays(size_t i) { return !ends(i, milliseconds(20)); }

  std::array<Object, kHazards + 1> objects;
  std::array<void*, kHazards + 1> slots;
  Domain domain;
  Record* record;
};

TEST_F(Hazptr, WhatIsProtectedStaysAndNothingElse) {
  Section* const section = record->open();
  EXPECT_EQ(record->protect(&slots[0]), &objects[0]);
  retire(0);
  retire(1);
  EXPECT_TRUE(ends(1));
  EXPECT_TRUE(stays(0));
  EXPECT_EQ(domain.waiting(), 1u);
  record->close(section);
  EXPECT_TRUE(ends(0));
}

TEST_F(Hazptr, NullTakesNoRoom) {
  retire(0);
  Section* const section = record->open();
  for (unsigned i = 0; i <= kHazards; ++i) EXPECT_EQ(record->protect(&slots[0]), nullptr);
  EXPECT_TRUE(ends(0));
  record->close(section);
}

TEST_F(Hazptr, AWalkProtectsAllItPasses) {
  Section* const section = record->open();
  for (size_t i = 0; i < kHazards; ++i) record->protect(&slots[i]);
  for (size_t i = 0; i < kHazards; ++i) retire(i);
  EXPECT_TRUE(stays(0));
  for (size_t i = 0; i < kHazards; ++i) EXPECT_EQ(objects[i].ends, 0) << i;
  record->close(section);
  for (size_t i = 0; i < kHazards; ++i) EXPECT_TRUE(ends(i)) << i;
}

TEST_F(Hazptr, HandOverHandKeepsTheNewerSectionsObject) {
  Section* const first = record->open();
  record->protect(&slots[0]);
  Section* const second = record->open();
  record->protect(&slots[1]);
  record->close(first);
  retire(0);
  retire(1);
  EXPECT_TRUE(ends(0));
  EXPECT_TRUE(stays(1));
  record->close(second);
  EXPECT_TRUE(ends(1));
}

TEST_F(Hazptr, ANestedSectionEndsBeforeTheOneAroundIt) {
  Section* const outer = record->open();
  record->protect(&slots[0]);
  Section* const inner = record->open();
  record->protect(&slots[1]);
  record->close(inner);
  record->protect(&slots[2]);  // the outer one's
  for (size_t i = 0; i < 3; ++i) retire(i);
  EXPECT_TRUE(ends(1));
  EXPECT_TRUE(stays(0));
  EXPECT_EQ(objects[2].ends, 0);
  record->close(outer);
  EXPECT_TRUE(ends(0));
  EXPECT_TRUE(ends(2));
}

TEST_F(Hazptr, BarrierWaitsForTheProtectedAndForNothingLater) {
  Section* const section = record->open();
  record->protect(&slots[0]);
  retire(0);
  retire(1);
  std::atomic<bool> returned{false};
  std::thread waiter([&] {
    domain.barrier();
    EXPECT_EQ(objects[0].ends, 1);
    returned = true;
  });
  EXPECT_TRUE(ends(1));
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_FALSE(returned);
  Section* const later = record->open();
  record->protect(&slots[2]);
  retire(2);
  record->close(section);
  EXPECT_TRUE(ends(0));
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_TRUE(returned) << "what was retired after it began is still protected";
  record->close(later);
  waiter.join();
}

TEST_F(Hazptr, ARecordIsReused) {
  Record* const second = domain.claim();
  EXPECT_NE(second, record);
  Domain::release(second);
  EXPECT_EQ(domain.claim(), second);
  Domain::release(second);
}

TEST_F(Hazptr, OpenSectionsAreCounted) {
  Section* const one = record->open();
  Section* const other = record->open();
  EXPECT_EQ(domain.open_sections(), 2);
  record->close(one);
  record->close(other);
  EXPECT_EQ(domain.open_sections(), 0);
}

TEST_F(Hazptr, TooManyIsSaid) {
  EXPECT_DEATH(for (unsigned i = 0; i <= kSections; ++i) record->open(), "more than 8 sections");
  EXPECT_DEATH(
      {
        record->open();
        for (void*& slot : slots) record->protect(&slot);
      },
      "more than 16 objects");
}

TEST(HazptrDomain, EndsWhatIsLeftBeforeItGoes) {
  std::array<Object, 100> objects;
  {
    Domain domain;
    for (Object& object : objects) domain.call_hazptr(&object.head, end);
  }
  for (Object& object : objects) EXPECT_EQ(object.ends, 1);
}

/// Two schemes whose calls take locks, and the one queue for whoever may not take one.
class OneQueue : public testing::Test {
 public:
  OneQueue() : ops(*find_flavor("hazptr-defer").ops), dom(ops.create()) {
    EXPECT_EQ(init_srcu_struct(&ssp), 0);
    self = this;
  }
  ~OneQueue() override {
    ops.destroy(dom);
    cleanup_srcu_struct(&ssp);
  }

  struct ByHazptr {
    srcutorture_head head;
    std::atomic<int> ends{0};
  };
  struct BySrcu {
    rcu_head head;
    bpf_defer_node node;
    std::atomic<int> ends{0};
  };
  static constexpr size_t kPairs = 2000;

  /// May be called anywhere.
  void post_pair() {
    const size_t i = posted;
    if (i == kPairs) return;
    ops.call(dom, nullptr, &hazptrs[i].head,
             [](srcutorture_head* head) { ++reinterpret_cast<ByHazptr*>(head)->ends; });
    bpf_defer(&srcus[i].node, call_srcu, &ssp, &srcus[i].head,
              [](rcu_head* head) { ++reinterpret_cast<BySrcu*>(head)->ends; });
    posted = i + 1;
  }
  void expect_all_after_barriers() {
    ops.barrier(dom, nullptr);
    for (size_t i = 0; i < posted; ++i) ASSERT_EQ(hazptrs[i].ends, 1) << i;
    srcu_barrier(&ssp);
    for (size_t i = 0; i < posted; ++i) ASSERT_EQ(srcus[i].ends, 1) << i;
  }

  static inline OneQueue* self;
  const Ops& ops;
  void* dom;
  srcu_struct ssp;
  std::array<ByHazptr, kPairs> hazptrs;
  std::array<BySrcu, kPairs> srcus;
  std::atomic<size_t> posted{0};
};

TEST_F(OneQueue, TakesBothFromAnNmi) {
  for (int i = 0; i < 10; ++i) {
    srcu::nmi_enter();
    post_pair();
    srcu::nmi_exit();
  }
  ASSERT_EQ(posted, 10u);
  expect_all_after_barriers();
}

// The handler interrupts a thread that is in the direct calls most of the time, so under the locks that they take.
TEST_F(OneQueue, TakesBothFromASignalHandlerThatInterruptsTheirCalls) {
  const srcu::test::HandledSignal handled(SIGUSR1, [](int) { self->post_pair(); });
  const srcu::test::SignalTimer interrupts(SIGUSR1, 50'000);
  auto& domain = *static_cast<Domain*>(dom);
  std::array<Object, 256> objects;
  std::array<rcu_head, 256> heads;
  int rounds = 0;
  for (; posted < kPairs; ++rounds) {
    for (size_t i = 0; i < objects.size(); ++i) {
      domain.call_hazptr(&objects[i].head, end);
      call_srcu(&ssp, &heads[i], [](rcu_head*) {});
    }
    domain.barrier();
    srcu_barrier(&ssp);
  }
  expect_all_after_barriers();
  for (const Object& object : objects) EXPECT_EQ(object.ends, rounds);
}

}  // namespace
}  // namespace torture::hazptr
