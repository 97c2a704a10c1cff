// Each deliberately broken flavour shows its defect to somebody who just calls it.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "torture/flavors/registry.hpp"

namespace torture {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Counted {
  srcutorture_head head;
  std::atomic<int> runs{0};
};
void count(srcutorture_head* head) { ++reinterpret_cast<Counted*>(head)->runs; }

template <size_t N>
int total(const std::array<Counted, N>& heads) {
  int sum = 0;
  for (const Counted& counted : heads) sum += counted.runs;
  return sum;
}

/// One domain, with the calling thread registered.
class Visit {
 public:
  explicit Visit(const char* name)
      : ops(*find_flavor(name).ops), dom(ops.create()), ctx(ops.thread_register(dom)) {}
  ~Visit() {
    ops.thread_unregister(dom, ctx);
    ops.destroy(dom);
  }
  void post(Counted& counted) { ops.call(dom, ctx, &counted.head, count); }

  const Ops& ops;
  void* dom;
  void* ctx;
};

/// A reader on a thread of its own that stays in its section until leave(), or until a defect that should
/// have shown did not: five seconds, so that a flavour that is sound after all fails its test instead of
/// hanging it.
class Sitter {
 public:
  explicit Sitter(Visit& visit) : thread_([this, &visit] { sit(visit); }) {
    while (!inside_) std::this_thread::yield();
  }
  ~Sitter() {
    leave_ = true;
    thread_.join();
  }
  bool still_inside() const { return inside_; }

 private:
  void sit(Visit& visit) {
    void* ctx = visit.ops.thread_register(visit.dom);
    const uint64_t token = visit.ops.read_lock(visit.dom, ctx);
    inside_ = true;
    const auto patience = steady_clock::now() + milliseconds(5000);
    while (!leave_ && steady_clock::now() < patience) std::this_thread::sleep_for(milliseconds(1));
    inside_ = false;
    visit.ops.read_unlock(visit.dom, ctx, token);
    visit.ops.thread_unregister(visit.dom, ctx);
  }

  std::atomic<bool> inside_{false}, leave_{false};
  std::thread thread_;
};

void read_in_two_threads(Visit& visit) {
  const auto read = [&visit] {
    void* ctx = visit.ops.thread_register(visit.dom);
    for (int i = 0; i < 100'000; ++i)
      visit.ops.read_unlock(visit.dom, ctx, visit.ops.read_lock(visit.dom, ctx));
    visit.ops.thread_unregister(visit.dom, ctx);
  };
  std::thread one(read), two(read);
  one.join();
  two.join();
}

TEST(Busted, NoWaitReturnsOverAReader) {
  Visit visit("busted_no_wait");
  Sitter sitter(visit);
  visit.ops.synchronize(visit.dom, visit.ctx);
  EXPECT_TRUE(sitter.still_inside());
}

TEST(Busted, EarlyCallbackRunsUnderAReader) {
  Visit visit("busted_early_callback");
  Sitter sitter(visit);
  Counted counted;
  visit.post(counted);
  visit.ops.barrier(visit.dom, visit.ctx);
  EXPECT_EQ(counted.runs, 1);
  EXPECT_TRUE(sitter.still_inside());
}

TEST(Busted, EarlyBarrierLeavesCallbacksBehind) {
  std::array<Counted, 8> heads;
  {
    Visit visit("busted_early_barrier");
    Sitter sitter(visit);
    for (Counted& counted : heads) visit.post(counted);
    visit.ops.barrier(visit.dom, visit.ctx);
    EXPECT_EQ(total(heads), 0);
    EXPECT_TRUE(sitter.still_inside());
  }
  EXPECT_EQ(total(heads), 8) << "the callbacks themselves are sound";
}

TEST(Busted, LostCallbackForgetsOneIn64) {
  std::array<Counted, 128> heads;
  {
    Visit visit("busted_lost_callback");
    for (Counted& counted : heads) visit.post(counted);
  }
  EXPECT_EQ(total(heads), 126);
}

TEST(Busted, DoubleCallbackRepeatsOneIn64) {
  std::array<Counted, 128> heads;
  {
    Visit visit("busted_double_callback");
    for (Counted& counted : heads) visit.post(counted);
    visit.ops.barrier(visit.dom, visit.ctx);
  }
  EXPECT_EQ(total(heads), 130);
}

// The thread that is stuck for ever is left behind.
TEST(Busted, StuckGpEndsAHundredAndNoMore) {
  static std::atomic<int> ended{0};
  std::thread([] {
    const Ops& ops = *find_flavor("busted_stuck_gp").ops;
    void* dom = ops.create();
    for (;; ++ended) ops.synchronize(dom, nullptr);
  }).detach();
  while (ended < 100) std::this_thread::sleep_for(milliseconds(1));
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(ended, 100);
}

void* seen(Visit& visit, void** slot) {
  const uint64_t token = visit.ops.read_lock(visit.dom, visit.ctx);
  void* element = visit.ops.protect(visit.dom, visit.ctx, slot);
  visit.ops.read_unlock(visit.dom, visit.ctx, token);
  return element;
}

TEST(Busted, BackwardsPayloadShowsTheOldAfterTheNew) {
  Visit visit("busted_backwards_payload");
  srcutorture_head old_one, new_one;
  void* slot = &old_one;
  EXPECT_EQ(seen(visit, &slot), &old_one);
  slot = &new_one;
  EXPECT_EQ(seen(visit, &slot), &new_one);
  EXPECT_EQ(seen(visit, &slot), &old_one);
}

// Else too_short_gp would fail first, and memory_order would not be what the flavour trips.
TEST(Busted, BackwardsPayloadShowsNothingThatIsDead) {
  Visit visit("busted_backwards_payload");
  srcutorture_head element;
  void* slot = &element;
  seen(visit, &slot);
  std::atomic<bool> ended{false};
  std::thread updater([&] {
    visit.ops.synchronize(visit.dom, nullptr);
    ended = true;
  });
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(ended) << "what was seen since the last quiescent state may be shown again";
  visit.ops.quiescent_state(visit.dom, visit.ctx);
  updater.join();
}

TEST(Busted, UnboundedGarbageWaitsForTheEnd) {
  std::array<Counted, 100> heads;
  {
    Visit visit("busted_unbounded_garbage");
    for (Counted& counted : heads) visit.post(counted);
    visit.ops.synchronize(visit.dom, visit.ctx);
    EXPECT_EQ(total(heads), 0);
    EXPECT_GE(visit.ops.pending_bytes(visit.dom), 100 * sizeof(srcutorture_head));
  }
  EXPECT_EQ(total(heads), 100);
}

TEST(Busted, EarlyCookieStandsForTheGracePeriodThatRuns) {
  Visit visit("busted_early_cookie");
  uint64_t cookie = 0;
  std::thread updater;
  {
    Sitter sitter(visit);
    updater = std::thread([&visit] { visit.ops.expedited(visit.dom, nullptr); });
    std::this_thread::sleep_for(milliseconds(50));
    cookie = visit.ops.get_state(visit.dom);
    EXPECT_FALSE(visit.ops.poll_state(visit.dom, cookie));
  }
  updater.join();
  EXPECT_TRUE(visit.ops.poll_state(visit.dom, cookie)) << "only what began before the cookie has ended";
}

TEST(Busted, CounterMismatchLosesCounts) {
  Visit visit("busted_counter_mismatch");
  EXPECT_EQ(visit.ops.reader_balance(visit.dom), 0);
  const auto patience = steady_clock::now() + milliseconds(5000);
  while (visit.ops.reader_balance(visit.dom) == 0 && steady_clock::now() < patience)
    read_in_two_threads(visit);
  EXPECT_NE(visit.ops.reader_balance(visit.dom), 0);
}

// The thread that is stuck for ever is left behind.
TEST(Busted, NoForwardProgressEndsTenBarriersAndNoMore) {
  static std::atomic<int> ended{0};
  std::thread([] {
    const Ops& ops = *find_flavor("busted_no_forward_progress").ops;
    void* dom = ops.create();
    for (;; ++ended) ops.barrier(dom, nullptr);
  }).detach();
  while (ended < 10) std::this_thread::sleep_for(milliseconds(1));
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(ended, 10);
}

TEST(Busted, NearMissCountsAGracePeriodTwice) {
  Visit visit("busted_near_miss");
  visit.ops.synchronize(visit.dom, visit.ctx);
  EXPECT_EQ(visit.ops.gp_seq(visit.dom), 2U);
}

// An updater buries what it takes away; the reader, who should hold it, looks at once.
TEST(Busted, HazptrUnvalidatedProtectsTheBuried) {
  Visit visit("busted_hazptr_unvalidated");
  std::array<Counted, 64> heads;
  void* slot = &heads[0];
  std::atomic<bool> seen{false};
  const auto patience = steady_clock::now() + milliseconds(5000);
  const auto in_time = [&] { return !seen && steady_clock::now() < patience; };
  std::thread updater([&] {
    for (size_t i = 1; in_time(); ++i) {
      Counted& fresh = heads[i % heads.size()];
      fresh.runs = 0;
      void* old = std::atomic_ref(slot).exchange(&fresh);
      visit.ops.call(visit.dom, nullptr, &static_cast<Counted*>(old)->head, count);
      visit.ops.barrier(visit.dom, nullptr);
    }
  });
  while (in_time()) {
    const uint64_t token = visit.ops.read_lock(visit.dom, visit.ctx);
    seen = static_cast<Counted*>(visit.ops.protect(visit.dom, visit.ctx, &slot))->runs > 0;
    visit.ops.read_unlock(visit.dom, visit.ctx, token);
  }
  updater.join();
  EXPECT_TRUE(seen);
}

TEST(Busted, EachOneHasItsTestHere) {
  size_t busted = 0;
  for (const Flavor& flavor : flavors()) busted += !flavor.trips.empty();
  EXPECT_EQ(busted, 13u) << "a new broken flavour shows its defect in a test of this file";
}

}  // namespace
}  // namespace torture
