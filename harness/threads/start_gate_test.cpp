#include "harness/threads/start_gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <vector>

#include "harness/base/clock.hpp"
#include "harness/threads/named_thread.hpp"

namespace harness {
namespace {

/// Starts `count` threads that arrive; counts how they left.
struct Crowd {
  Crowd(StartGate& gate, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      threads.emplace_back("arrival", std::nullopt,
                           [this, &gate] { ++(gate.arrive() ? went : turned_back); });
  }
  void join() {
    for (NamedThread& thread : threads) thread.join();
  }
  std::atomic<unsigned> went{0}, turned_back{0};
  std::vector<NamedThread> threads;
};

TEST(StartGate, NobodyLeavesBeforeTheLastHasCome) {
  StartGate gate(4);
  Crowd crowd(gate, 3);
  sleep_ns(20'000'000);
  EXPECT_EQ(crowd.went.load(), 0u);
  EXPECT_TRUE(gate.arrive());
  crowd.join();
  EXPECT_EQ(crowd.went.load(), 3u);
  EXPECT_TRUE(gate.wait());
}

TEST(StartGate, OneFailureReleasesEverybody) {
  StartGate gate(4);
  Crowd crowd(gate, 3);
  gate.fail();
  crowd.join();
  EXPECT_EQ(crowd.went.load(), 0u);
  EXPECT_EQ(crowd.turned_back.load(), 3u);
  EXPECT_FALSE(gate.arrive()) << "who comes late is turned back too";
  EXPECT_FALSE(gate.wait());
}

TEST(StartGate, FailureAfterTheStartChangesNothing) {
  StartGate gate(1);
  EXPECT_TRUE(gate.arrive());
  gate.fail();
  EXPECT_TRUE(gate.wait());
}

TEST(StartGate, NobodyExpectedIsOpen) { EXPECT_TRUE(StartGate(0).wait()); }

}  // namespace
}  // namespace harness
