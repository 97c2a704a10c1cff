#include "torture/threads/park_gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace torture {
namespace {

constexpr uint64_t kLong = 60'000'000'000;

TEST(ParkGate, NobodyMovesWhileItIsClosed) {
  ParkGate gate;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> steps{0}, away{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    gate.join();
    threads.emplace_back([&] {
      while (!stop) {
        if (gate.closed()) gate.park([&] { ++away; }, [&] { --away; });
        ++steps;
      }
      gate.leave();
    });
  }
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(gate.close(kLong));
    EXPECT_EQ(away, 3U);
    const uint64_t before = steps;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(steps, before);
    gate.open();
    while (steps == before) std::this_thread::yield();
  }
  stop = true;
  for (auto& thread : threads) thread.join();
}

TEST(ParkGate, SaysWhenSomebodyDoesNotCome) {
  ParkGate gate;
  gate.join();
  EXPECT_FALSE(gate.close(1'000'000));
  gate.leave();
  EXPECT_TRUE(gate.close(kLong));
}

}  // namespace
}  // namespace torture
