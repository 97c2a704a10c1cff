// x86's store buffers.
#include <gtest/gtest.h>

#include "harness/engine/memory/scripted.hpp"

namespace engine {
namespace {

struct TsoTest : testing::Test, World {
  TsoTest() : World(Model::kTso) {}
  ~TsoTest() override { EXPECT_TRUE(script.counts.empty()) << "loads have no choice"; }
  alignas(16) uint64_t cells[4] = {};
  uint64_t &x = cells[0], &y = cells[1], &z = cells[2];
  static constexpr uint64_t kOne = 1, kTwo = 2;
};

TEST_F(TsoTest, StoresAreTheirThreadsOwnAtFirst) {
  t1.store(x, kOne, rel);
  EXPECT_EQ(memory.buffered(1), 1u);
  EXPECT_EQ(t1.load(x, rlx), kOne);
  EXPECT_EQ(t2.load(x, acq), 0u);
  EXPECT_EQ(x, 0u);
  memory.flush_one(1);
  EXPECT_EQ(t2.load(x, rlx), kOne);
  EXPECT_EQ(x, kOne);
  EXPECT_EQ(memory.buffered(1), 0u);
}

TEST_F(TsoTest, InOrder) {
  t1.store(x, kOne, rlx);
  t1.store(y, kOne, rlx);
  t1.store(x, kTwo, rlx);
  EXPECT_EQ(t1.load(x, rlx), kTwo) << "the newest of its own";
  memory.flush_one(1);
  EXPECT_EQ(t2.load(x, rlx), kOne);
  EXPECT_EQ(t2.load(y, rlx), 0u);
  memory.flush_one(1);
  EXPECT_EQ(t2.load(y, rlx), kOne);
  EXPECT_EQ(memory.buffered(1), 1u);
}

TEST_F(TsoTest, FlushOfNothing) {
  memory.flush_one(1);
  EXPECT_EQ(memory.buffered(1), 0u);
}

TEST_F(TsoTest, LockedInstructionsAndFullFencesDrain) {
  uint64_t expected = 0;
  const auto after = [&](auto drain) {
    t1.store(x, x + 1, rlx);
    drain();
    return memory.buffered(1) == 0;
  };
  EXPECT_TRUE(after([&] { t1.add(y, kOne, rlx); }));
  EXPECT_TRUE(after([&] { t1.exchange_if(y, expected, kOne, rlx, rlx); }));
  EXPECT_TRUE(after([&] { t1.store(y, kOne, sc); }));
  EXPECT_TRUE(after([&] { t1.fence(sc); }));
  EXPECT_TRUE(after([&] { t1.unlock(&z); }));
  EXPECT_TRUE(after([&] { memory.locked_instruction(1); }));
  EXPECT_TRUE(after([&] { memory.start(5, 1); }));
  EXPECT_TRUE(after([&] { memory.join(2, 1); }));
  EXPECT_TRUE(after([&] { t2.membarrier({1}); }));
  EXPECT_TRUE(after([&] { t1.membarrier({}); }));
}

TEST_F(TsoTest, NothingElseDrains) {
  t1.store(x, kOne, rlx);
  t1.fence(acq_rel);
  t1.store(y, kOne, rel);
  t1.load(z, sc);
  t1.lock(&cells[3]);
  t2.fence(sc);
  memory.membarrier_begin(2);
  memory.membarrier_at(2, 3);
  EXPECT_EQ(memory.buffered(1), 2u);
}

TEST_F(TsoTest, OtherAccessesToBufferedBytesWait) {
  t1.store(x, kOne, rlx);
  EXPECT_EQ(t1.read(x), kOne);
  t1.store(x, kTwo, rlx);
  EXPECT_EQ(t1.load(reinterpret_cast<uint32_t&>(x), rlx), 2u);
  t1.store(x, kOne, rlx);
  t1.write(x, kTwo);
  EXPECT_EQ(memory.buffered(1), 0u);
  EXPECT_EQ(t1.load(x, rlx), kTwo);
  t1.store(x, kOne, rlx);
  t1.read(y);
  EXPECT_EQ(memory.buffered(1), 1u) << "not these bytes";
  t1.free(cells, 32);
  EXPECT_EQ(memory.buffered(1), 0u);
}

TEST_F(TsoTest, ReadModifyWriteReadsWhatWasBuffered) {
  t1.store(x, kOne, rlx);
  EXPECT_EQ(t1.add(x, kOne, rlx), kOne);
  EXPECT_EQ(x, kTwo);
}

TEST_F(TsoTest, RacesAreStillThoseOfCpp) {
  t1.write(x, kOne);
  t1.store(y, kOne, rlx);
  memory.flush_one(1);
  EXPECT_EQ(t2.load(y, acq), kOne);
  t2.read(x);
  EXPECT_EQ(script.seen.size(), 1u) << "x86 would order them, C++ does not";
  t1.write(z, kOne);
  t1.store(y, kTwo, rel);
  t1.store(cells[3], kOne, rlx);
  memory.flush_one(1);
  EXPECT_EQ(t3.load(y, acq), kTwo);
  t3.read(z);
  EXPECT_EQ(script.seen.size(), 1u);
  memory.flush_one(1);
}

TEST_F(TsoTest, OnX86NothingRacesAndWhatIsFreedIsFreed) {
  begin(Model::kX86);
  t1.store(y, kOne, rlx);
  EXPECT_EQ(memory.buffered(1), 1u);
  t1.write(x, kOne);
  t2.read(x);
  memory.flush_one(1);
  EXPECT_EQ(t2.load(y, rlx), kOne);
  t3.free(&x, 8);
  EXPECT_EQ(script.seen.size(), 0u) << "before it ended, unordered or not";
  t2.read(x);
  ASSERT_EQ(script.seen.size(), 1u);
}

TEST_F(TsoTest, BuffersEndWithTheExecution) {
  t1.store(x, kOne, rlx);
  begin(Model::kTso);
  EXPECT_EQ(memory.buffered(1), 0u);
  EXPECT_EQ(t1.load(x, rlx), 0u);
}

}  // namespace
}  // namespace engine
