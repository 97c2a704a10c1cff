// Allocations as writes, objects smaller than a cell, and what unlocks hand over.
#include <gtest/gtest.h>

#include "harness/engine/memory/scripted.hpp"

namespace engine {
namespace {

struct ObjectsTest : testing::Test, World {
  /// The only fault since the last time; none or several are told apart by `one`.
  testing::AssertionResult saw(Fault fault) {
    const bool one = script.seen.size() == 1 && script.seen[0].fault == fault;
    const size_t count = script.seen.size();
    script.seen.clear();
    if (one) return testing::AssertionSuccess();
    return testing::AssertionFailure() << count << " faults, or another";
  }
  bool nothing() { return script.seen.empty(); }
  void allocate(bool zeroed = true) { memory.allocated(1, cells, sizeof cells, zeroed, 0x77); }

  alignas(16) uint64_t cells[4] = {};
  alignas(8) uint32_t halves[4] = {};
  uint64_t pub = 0;
};

TEST_F(ObjectsTest, AllocationRacesWithWhoIsNotOrderedBehindIt) {
  allocate();
  t1.store(pub, uint64_t{1}, rlx);
  script.choices = {0};
  ASSERT_EQ(t2.load(pub, acq), 1u);
  t2.read(cells[0]);
  ASSERT_EQ(script.seen.size(), 1u);
  ASSERT_TRUE(script.seen[0].before);
  EXPECT_EQ(script.seen[0].before->pc, 0x77u);
  EXPECT_EQ(script.seen[0].before->thread, 1u);
  EXPECT_TRUE(script.seen[0].before->write);
  EXPECT_TRUE(saw(Fault::kRace));
  t2.load(cells[1], rlx);
  EXPECT_TRUE(saw(Fault::kRace)) << "atomic accesses, too";
  t2.add(cells[2], uint64_t{1}, rlx);
  EXPECT_TRUE(saw(Fault::kRace));
}

TEST_F(ObjectsTest, AllocationIsOrderedByARelease) {
  allocate();
  t1.store(pub, uint64_t{1}, rel);
  script.choices = {0};
  ASSERT_EQ(t2.load(pub, acq), 1u);
  t2.read(cells[0]);
  t2.add(cells[1], uint64_t{1}, rlx);
  t2.free(cells, sizeof cells);
  EXPECT_TRUE(nothing());
}

TEST_F(ObjectsTest, AllocationOfWhatWasTouchedBefore) {
  t2.write(cells[0], uint64_t{1});
  allocate(false);
  t1.write(cells[0], uint64_t{1});
  EXPECT_TRUE(nothing());
  t2.write(cells[1], uint64_t{1});
  EXPECT_TRUE(saw(Fault::kRace)) << "with the allocation";
}

TEST_F(ObjectsTest, FreeingWhatNobodyTouchedMustBeOrdered) {
  allocate();
  t2.free(cells, sizeof cells);
  EXPECT_TRUE(saw(Fault::kRace));
}

TEST_F(ObjectsTest, TheWriterIsNamedNotTheAllocation) {
  allocate();
  t1.write(cells[0], uint64_t{1});
  t2.read(cells[0]);
  ASSERT_EQ(script.seen.size(), 1u);
  EXPECT_EQ(script.seen[0].before->pc, 0x2006u);
}

TEST_F(ObjectsTest, NeighboursInOneCellLiveOn) {
  t1.write(halves[0], 1u);
  t1.write(halves[1], 1u);
  t1.free(&halves[0], 4);
  t1.read(halves[1]);
  t1.store(halves[1], 2u, rlx);
  EXPECT_TRUE(nothing());
  t1.read(halves[0]);
  EXPECT_TRUE(saw(Fault::kFreed));
  t1.load(halves[0], rlx);
  EXPECT_TRUE(saw(Fault::kFreed));
}

TEST_F(ObjectsTest, TheOtherNeighbourToo) {
  t1.free(&halves[1], 4);
  t1.read(halves[0]);
  EXPECT_TRUE(nothing());
  t1.read(halves[1]);
  EXPECT_TRUE(saw(Fault::kFreed)) << "not at its cell's base, and touched after its end alone";
  t1.free(&halves[2], 4);
  t1.free(&halves[3], 4);
  EXPECT_TRUE(nothing());
  t1.read(halves[3]);
  EXPECT_TRUE(saw(Fault::kFreed));
  t1.read(halves[2]);
  EXPECT_TRUE(saw(Fault::kFreed));
}

TEST_F(ObjectsTest, AnAllocationForgetsItsOwnBytesOnly) {
  t1.write(halves[0], 1u);
  t1.free(&halves[1], 4);
  memory.allocated(2, &halves[1], 4, false, 0);
  t2.write(halves[1], 1u);
  EXPECT_TRUE(nothing());
  t2.read(halves[0]);
  EXPECT_TRUE(saw(Fault::kRace)) << "with the write before";
  t2.free(&halves[1], 4);
  EXPECT_TRUE(nothing());
  t2.read(halves[1]);
  EXPECT_TRUE(saw(Fault::kFreed));
}

TEST_F(ObjectsTest, WhatIsHandedOverGoesByObjectNotByCell) {
  t1.write(cells[0], uint64_t{1});
  t1.unlock(&halves[0]);
  t2.unlock(&halves[1]);
  t3.lock(&halves[0]);
  t3.read(cells[0]);
  EXPECT_TRUE(nothing());
  t4.lock(&halves[1]);
  t4.read(cells[0]);
  EXPECT_TRUE(saw(Fault::kRace)) << "the other's";
}

}  // namespace
}  // namespace engine
