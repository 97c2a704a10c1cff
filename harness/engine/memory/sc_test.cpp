// The order S of seq_cst operations, which here is the order of execution, and membarrier. Each rule once with what it
// needs, and once without. Where nothing is said, loads read the oldest that is allowed.
#include <gtest/gtest.h>

#include "harness/engine/memory/scripted.hpp"

namespace engine {
namespace {

struct ScTest : testing::Test, World {
  int x = 0, y = 0, z = 0;
};

TEST_F(ScTest, LoadReadsNothingOlderThanAStore) {
  t1.store(x, 1, sc);
  EXPECT_EQ(t2.load(x, acq), 0);
  EXPECT_EQ(t2.load(x, sc), 1);
}

TEST_F(ScTest, StoreThatIsNotSeqCstBindsNoLoad) {
  t1.store(x, 1, rel);
  EXPECT_EQ(t2.load(x, sc), 0);
}

TEST_F(ScTest, LoadReadsNothingOlderThanALoad) {
  t1.store(x, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t2.load(x, sc), 1);
  EXPECT_EQ(t3.load(x, acq), 0);
  EXPECT_EQ(t3.load(x, sc), 1);
}

TEST_F(ScTest, ReadModifyWriteIsBoth) {
  t1.store(x, 1, rlx);
  t2.add(x, 1, sc);
  EXPECT_EQ(t3.load(x, rlx), 0);
  EXPECT_EQ(t3.load(x, sc), 2);
}

TEST_F(ScTest, LoadSeesWhatHappenedBeforeAFence) {
  t1.store(x, 1, rlx);
  t1.fence(sc);
  EXPECT_EQ(t2.load(x, acq), 0);
  EXPECT_EQ(t2.load(x, sc), 1);
}

TEST_F(ScTest, LoadSeesNothingOfWhatFollowsAFence) {
  t1.fence(sc);
  t1.store(x, 1, rlx);
  EXPECT_EQ(t2.load(x, sc), 0);
}

TEST_F(ScTest, AfterAFenceStoresAreSeen) {
  t1.store(x, 1, sc);
  EXPECT_EQ(t2.load(x, rlx), 0);
  t2.fence(sc);
  t1.store(x, 2, sc);
  EXPECT_EQ(t2.load(x, rlx), 1) << "those before the fence, and no later ones";
}

TEST_F(ScTest, AfterAFenceWhatLoadsReadIsSeen) {
  t1.store(x, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t2.load(x, sc), 1);
  t3.fence(sc);
  EXPECT_EQ(t3.load(x, rlx), 1);
}

TEST_F(ScTest, TwoFences) {
  t1.store(x, 1, rlx);
  t1.fence(sc);
  t1.store(y, 1, rlx);
  t2.fence(sc);
  EXPECT_EQ(t2.load(x, rlx), 1);
  EXPECT_EQ(t2.load(y, rlx), 0);
}

TEST_F(ScTest, OneFenceIsNone) {
  t1.store(x, 1, rlx);
  t1.fence(acq_rel);
  t2.fence(sc);
  EXPECT_EQ(t2.load(x, rlx), 0);
}

TEST_F(ScTest, FenceOrdersWhatWasRead) {
  t1.store(x, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t2.load(x, rlx), 1);
  t2.fence(sc);
  t3.fence(sc);
  EXPECT_EQ(t3.load(x, rlx), 1);
}

TEST_F(ScTest, WhatAFenceSawGoesOnWithReleases) {
  t1.store(x, 1, rlx);
  t1.fence(sc);
  t2.fence(sc);
  t2.store(y, 1, rel);
  script.choices = {0};
  EXPECT_EQ(t3.load(y, acq), 1);
  EXPECT_EQ(t3.load(x, rlx), 1);
}

TEST_F(ScTest, SoDoSeqCstAccessesThatAFenceSaw) {
  t1.store(x, 1, sc);
  t2.fence(sc);
  t2.store(y, 1, rel);
  script.choices = {0};
  EXPECT_EQ(t3.load(y, acq), 1);
  EXPECT_EQ(t3.load(x, rlx), 1);
}

TEST_F(ScTest, WhatHappensBeforeAFenceCountsFromAnyThread) {
  t1.store(x, 1, rlx);
  t1.store(y, 1, rel);
  script.choices = {0};
  EXPECT_EQ(t2.load(y, rlx), 1);
  t2.fence(sc);  // the acquire part first
  t3.fence(sc);
  EXPECT_EQ(t3.load(x, rlx), 1);
}

TEST_F(ScTest, BeginForgetsFences) {
  for (int i = 0; i < 9; ++i) t1.fence(sc);
  begin(Model::kCpp);
  t1.store(x, 1, rlx);
  EXPECT_EQ(t2.load(x, sc), 0);
}

TEST_F(ScTest, FencesMakeNothingHappenBefore) {
  t1.write(x, 1);
  t1.fence(sc);
  t2.fence(sc);
  t2.read(x);
  ASSERT_EQ(script.seen.size(), 1u);
  EXPECT_EQ(script.seen[0].fault, Fault::kRace);
}

TEST_F(ScTest, FenceReleasesAndAcquires) {
  t1.write(x, 1);
  t1.fence(sc);
  t1.store(y, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t2.load(y, rlx), 1);
  t2.fence(sc);
  t2.read(x);
  EXPECT_TRUE(script.seen.empty());
}

TEST_F(ScTest, MembarrierOrdersCallerAndTarget) {
  t1.store(x, 1, rlx);
  t2.store(y, 1, rlx);
  EXPECT_EQ(t1.load(y, rlx), 0);
  EXPECT_EQ(t2.load(x, rlx), 0);
  t1.membarrier({2});
  EXPECT_EQ(t1.load(y, rlx), 1);
  EXPECT_EQ(t2.load(x, rlx), 1);
}

TEST_F(ScTest, MembarrierReturnsWhenAllHadTheirFence) {
  t1.store(x, 1, rlx);
  t3.store(y, 1, rlx);  // and may have ended
  memory.membarrier_begin(1);
  memory.membarrier_at(1, 2);
  EXPECT_EQ(t3.load(x, rlx), 0);
  memory.membarrier_end(1);
  EXPECT_EQ(t1.load(y, rlx), 1);
  EXPECT_EQ(t3.load(x, rlx), 1);
}

TEST_F(ScTest, MembarrierMakesItHappenBefore) {
  t1.write(x, 1);
  t2.write(y, 1);
  t1.membarrier({2});
  t2.read(x);
  t1.read(y);
  EXPECT_TRUE(script.seen.empty());
  t2.write(z, 2);  // after its fence
  t1.read(z);
  EXPECT_EQ(script.seen.size(), 1u);
}

TEST_F(ScTest, MembarrierHasManyInstants) {
  t1.store(x, 1, rlx);
  memory.membarrier_begin(1);
  memory.membarrier_at(1, 2);
  t2.store(y, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t3.load(y, rlx), 1);
  EXPECT_EQ(t3.load(x, rlx), 0) << "its own fence is yet to come";
  memory.membarrier_at(1, 3);
  EXPECT_EQ(t3.load(x, rlx), 1);
  t2.write(z, 1);
  memory.membarrier_end(1);
  t1.read(z);
  EXPECT_EQ(script.seen.size(), 1u) << "after its fence, before the end";
}

TEST_F(ScTest, MembarrierFenceOfATargetIsAFullOne) {
  t1.store(x, 1, rlx);
  memory.membarrier_begin(1);
  memory.membarrier_at(1, 2);
  t2.store(y, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t3.load(y, acq), 1);
  EXPECT_EQ(t3.load(x, rlx), 1) << "the caller's stores are behind what the target stores";
}

TEST_F(ScTest, MembarrierEndsWithAFence) {
  memory.membarrier_begin(1);
  for (ThreadId target : {0, 2, 3, 4}) memory.membarrier_at(1, target);
  t2.store(x, 1, sc);
  memory.membarrier_end(1);
  EXPECT_EQ(t1.load(x, rlx), 1) << "by [atomics.order]/4.3";
}

TEST_F(ScTest, MembarrierKnowsNothingOfTheLastExecution) {
  for (int i = 0; i < 9; ++i) t2.store(y, i, rel);
  t1.membarrier({2});
  begin(Model::kCpp);
  memory.membarrier_begin(1);
  memory.membarrier_end(1);
  t2.write(x, 1);
  t1.read(x);
  EXPECT_EQ(script.seen.size(), 1u) << "its epochs are new";
}

TEST_F(ScTest, TwoMembarriersAtOnce) {
  t1.store(x, 1, rlx);
  t2.store(y, 1, rlx);
  t3.store(z, 1, rlx);
  memory.membarrier_begin(1);
  memory.membarrier_begin(2);
  memory.membarrier_at(1, 3);
  EXPECT_EQ(t3.load(x, rlx), 1);
  EXPECT_EQ(t3.load(y, rlx), 1) << "whose fence came before";
  t3.store(z, 2, rlx);
  EXPECT_EQ(t2.load(z, rlx), 0);
  memory.membarrier_end(1);
  EXPECT_EQ(t1.load(z, rlx), 1);
  memory.membarrier_at(2, 3);
  memory.membarrier_end(2);
  EXPECT_EQ(t2.load(z, rlx), 2);
}

}  // namespace
}  // namespace engine
