#include <gtest/gtest.h>

#include <array>
#include <mutex>
#include <thread>
#include <vector>

#include "srcu/host/host.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

constexpr uint64_t kMs = 1'000'000, kMinute = 60'000 * kMs;

/// A work that notes when it ran.
class Noted {
 public:
  Noted() { EXPECT_TRUE(native_host.start()); }
  ~Noted() { native_host.cancel_work(work); }

  Work work{[](void* self) { static_cast<Noted*>(self)->on_run(); }, this};
  std::atomic<unsigned> ran{0};
  std::atomic<uint64_t> at_ns{0};
  std::function<void()> then;

  void queue(uint64_t delay_ns) { native_host.queue_delayed_work(work, delay_ns); }
  bool has_run(unsigned times) {
    return test::eventually([&] { return ran >= times; });
  }

 private:
  void on_run() {
    at_ns = env::now_ns();
    if (then) then();
    ++ran;
  }
};

TEST(NativeHost, RunsAWorkOnceForEachQueueing) {
  Noted noted;
  for (unsigned i = 1; i <= 100; ++i) {
    noted.queue(0);
    ASSERT_TRUE(noted.has_run(i));
  }
  EXPECT_EQ(noted.ran, 100u);
}

TEST(NativeHost, RunsInAThreadOfItsOwn) {
  Noted noted;
  std::thread::id where;
  noted.then = [&] { where = std::this_thread::get_id(); };
  noted.queue(0);
  ASSERT_TRUE(noted.has_run(1));
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(NativeHost, NeverRunsEarly) {
  Noted noted;
  const uint64_t before = env::now_ns();
  noted.queue(5 * kMs);
  ASSERT_TRUE(noted.has_run(1));
  EXPECT_GE(noted.at_ns - before, 5 * kMs);
}

TEST(NativeHost, TheShorterDelayComesFirst) {
  std::array<Noted, 3> noted;
  const std::array<uint64_t, 3> delays = {90 * kMs, 30 * kMs, 60 * kMs};
  for (size_t i = 0; i < 3; ++i) noted[i].queue(delays[i]);
  for (Noted& each : noted) ASSERT_TRUE(each.has_run(1));
  EXPECT_LT(noted[1].at_ns, noted[2].at_ns);
  EXPECT_LT(noted[2].at_ns, noted[0].at_ns);
}

TEST(NativeHost, TheEarlierTimeHolds) {
  Noted noted;
  noted.queue(kMinute);
  noted.queue(0);
  ASSERT_TRUE(noted.has_run(1));
  noted.queue(kMs);
  noted.queue(kMinute);
  ASSERT_TRUE(noted.has_run(2)) << "the later time put it off";
}

TEST(NativeHost, ASleepingHelperHearsOfAnEarlierWork) {
  Noted late, early;
  late.queue(kMinute);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it sleeps towards the late one by now
  early.queue(0);
  EXPECT_TRUE(early.has_run(1));
  EXPECT_EQ(late.ran, 0u);
}

TEST(NativeHost, QueuedWhileRunningRunsAgain) {
  Noted noted;
  test::Flag inside, go;
  noted.then = [&] {
    inside.set();
    EXPECT_TRUE(go.wait());
  };
  noted.queue(0);
  ASSERT_TRUE(inside.wait());
  noted.queue(0);
  noted.queue(0);
  go.set();
  ASSERT_TRUE(noted.has_run(2));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(noted.ran, 2u);
}

TEST(NativeHost, AWorkMayQueueItself) {
  Noted noted;
  noted.then = [&] {
    if (noted.ran < 9) noted.queue(0);
  };
  noted.queue(0);
  EXPECT_TRUE(noted.has_run(10));
}

// Queued first, run first: one that queues itself again is behind all that wait by then.
TEST(NativeHost, AWorkThatAlwaysQueuesItselfStarvesNoOther) {
  Noted greedy, patient;
  std::atomic<bool> stop{false};
  greedy.then = [&] {
    if (greedy.ran == 0) patient.queue(0);
    if (!stop) greedy.queue(0);
  };
  greedy.queue(0);
  EXPECT_TRUE(test::eventually([&] { return patient.ran == 1u; }, std::chrono::seconds(10)));
  stop = true;
}

TEST(NativeHost, RunsInTheOrderOfQueueingWhoeverLeftTheQueue) {
  std::array<Noted, 4> noted;
  Noted first;
  test::Flag inside, go;
  std::array<unsigned, 4> order{};
  unsigned turn = 0;
  first.then = [&] {
    inside.set();
    EXPECT_TRUE(go.wait());
  };
  first.queue(0);
  ASSERT_TRUE(inside.wait());
  for (size_t i = 0; i < 4; ++i) {
    noted[i].then = [&, i] { order[i] = ++turn; };
    noted[i].queue(0);
  }
  native_host.cancel_work(noted[3].work);  // the last: the next one must find the queue's end
  noted[3].queue(0);
  native_host.cancel_work(noted[0].work);
  noted[0].queue(0);
  go.set();
  for (Noted& each : noted) ASSERT_TRUE(each.has_run(1));
  EXPECT_EQ(order, (std::array<unsigned, 4>{4, 1, 2, 3}));
}

TEST(NativeHost, CancelTakesOffWhatHasNotBegun) {
  Noted noted;
  noted.queue(20 * kMs);
  native_host.cancel_work(noted.work);
  EXPECT_FALSE(noted.work.queued);
  std::this_thread::sleep_for(std::chrono::milliseconds(40));
  EXPECT_EQ(noted.ran, 0u);
}

TEST(NativeHost, CancelWaitsForWhatRuns) {
  Noted noted;
  test::Flag inside, go;
  std::atomic<bool> finished{false};
  noted.then = [&] {
    inside.set();
    EXPECT_TRUE(go.wait());
    finished = true;
  };
  noted.queue(0);
  ASSERT_TRUE(inside.wait());
  std::jthread helper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    go.set();
  });
  native_host.cancel_work(noted.work);
  EXPECT_TRUE(finished);
}

TEST(NativeHost, CancelOneOfMany) {
  std::array<Noted, 5> noted;
  for (Noted& each : noted) each.queue(30 * kMs);
  native_host.cancel_work(noted[2].work);
  for (const size_t i : {0, 1, 3, 4}) EXPECT_TRUE(noted[i].has_run(1)) << i;
  EXPECT_EQ(noted[2].ran, 0u);
}

TEST(NativeHost, PausedRunsNothingAndLosesNothing) {
  Noted noted;
  noted.queue(0);
  ASSERT_TRUE(noted.has_run(1));
  native_host.pause();
  noted.queue(0);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(noted.ran, 1u);
  native_host.hold();
  native_host.resume(false);
  EXPECT_TRUE(noted.has_run(2));
}

TEST(NativeHost, PauseWaitsForWhatRuns) {
  Noted noted;
  test::Flag inside;
  std::atomic<bool> finished{false};
  noted.then = [&] {
    inside.set();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    finished = true;
  };
  noted.queue(0);
  ASSERT_TRUE(inside.wait());
  native_host.pause();
  EXPECT_TRUE(finished);
  native_host.hold();
  native_host.resume(false);
}

TEST(NativeHost, NeverRunsAWorkTwiceAtATimeWhoeverQueues) {
  Noted noted;
  std::atomic<int> inside{0}, most{0};
  noted.then = [&] {
    most = std::max<int>(most, ++inside);
    --inside;
  };
  std::atomic<uint64_t> queued{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 5000; ++round) noted.queue(round % 3 * 1000 * i), ++queued;
      });
    }
  }
  noted.queue(0);
  EXPECT_TRUE(noted.has_run(1));
  native_host.cancel_work(noted.work);
  EXPECT_EQ(most, 1);
  EXPECT_LE(noted.ran, queued + 1);
}

}  // namespace
}  // namespace srcu
