// What C++20 lets loads read: each rule once with the edge and once without. The oldest that is allowed is chosen.
#include <gtest/gtest.h>

#include "harness/engine/memory/scripted.hpp"

namespace engine {
namespace {

struct OrderTest : testing::Test, World {
  int x = 0, y = 0, z = 0;
};

TEST_F(OrderTest, LoadsMayBeStale) {
  t1.store(x, 1, rlx);
  t1.store(x, 2, rlx);
  EXPECT_EQ(t2.load(x, rlx), 0);
  EXPECT_EQ(script.counts, std::vector<unsigned>{3});
  script.choices = {1};
  EXPECT_EQ(t2.load(x, rlx), 1);
  EXPECT_EQ(t2.load(x, rlx), 1) << "read-read coherence";
  EXPECT_EQ(x, 2) << "memory itself holds the newest";
}

TEST_F(OrderTest, OwnStoresAreSeen) {
  t1.store(x, 1, rlx);
  t2.store(x, 2, rlx);
  EXPECT_EQ(t1.load(x, rlx), 1);
  EXPECT_EQ(t2.load(x, rlx), 2) << "write-read coherence";
}

TEST_F(OrderTest, WhatIsReleasedIsSeenByWhoAcquiresIt) {
  for (Order load : {acq, con, sc}) {
    for (Order store : {rel, sc}) {
      begin(Model::kCpp);
      x = y = 0;
      t1.store(x, 1, rlx);
      t1.store(y, 1, store);
      script.choices = {0};
      EXPECT_EQ(t2.load(y, load), 1);
      EXPECT_EQ(t2.load(x, rlx), 1);
    }
  }
}

TEST_F(OrderTest, RelaxedOnEitherSideIsNotEnough) {
  t1.store(x, 1, rlx);
  t1.store(y, 1, rel);
  script.choices = {0};
  EXPECT_EQ(t2.load(y, rlx), 1);
  EXPECT_EQ(t2.load(x, rlx), 0);
  t1.store(z, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t3.load(z, acq), 1);
  EXPECT_EQ(t3.load(x, rlx), 0);
}

TEST_F(OrderTest, WhatAnotherReadIsBehindItsRelease) {
  t1.store(x, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t2.load(x, rlx), 1);
  t2.store(y, 1, rel);
  script.choices = {0};
  EXPECT_EQ(t3.load(y, acq), 1);
  EXPECT_EQ(t3.load(x, rlx), 1);
}

TEST_F(OrderTest, WhatComesAfterAReleaseIsNotInIt) {
  t1.store(y, 1, rel);
  t1.store(x, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t2.load(y, acq), 1);
  EXPECT_EQ(t2.load(x, rlx), 0);
}

TEST_F(OrderTest, ReleaseSequenceGoesOnThroughOthersReadModifyWrites) {
  t1.store(x, 1, rlx);
  t1.store(y, 1, rel);
  t2.add(y, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t3.load(y, acq), 2);
  EXPECT_EQ(t3.load(x, rlx), 1);
}

TEST_F(OrderTest, ReadModifyWriteWithAReleaseOfItsOwnHandsBothOn) {
  t1.store(x, 1, rlx);
  t1.store(y, 1, rel);
  t2.store(z, 1, rlx);
  t2.add(y, 1, rel);
  script.choices = {0};
  EXPECT_EQ(t3.load(y, acq), 2);
  EXPECT_EQ(t3.load(x, rlx), 1);
  EXPECT_EQ(t3.load(z, rlx), 1);
}

TEST_F(OrderTest, ReleaseSequenceEndsAtAStore) {
  t1.store(x, 1, rlx);
  t1.store(y, 1, rel);
  t1.store(y, 2, rlx);
  script.choices = {0};
  EXPECT_EQ(t3.load(y, acq), 2);
  EXPECT_EQ(t3.load(x, rlx), 0) << "own later stores do not continue it since C++20";
}

TEST_F(OrderTest, ReleaseFence) {
  t1.store(x, 1, rlx);
  t1.fence(rel);
  t1.store(z, 1, rlx);
  t1.store(y, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t2.load(y, acq), 1);
  EXPECT_EQ(t2.load(x, rlx), 1);
  EXPECT_EQ(t2.load(z, rlx), 0) << "after the fence";
}

TEST_F(OrderTest, AcquireFence) {
  t1.store(x, 1, rlx);
  t1.store(y, 1, rel);
  script.choices = {0};
  EXPECT_EQ(t2.load(y, rlx), 1);
  t2.fence(rel);
  EXPECT_EQ(t2.load(x, rlx), 0) << "a release fence acquires nothing";
  t2.fence(acq);
  EXPECT_EQ(t2.load(x, rlx), 1);
}

TEST_F(OrderTest, AcquireFenceReleasesNothing) {
  t1.store(x, 1, rlx);
  t1.fence(acq);
  t1.store(y, 1, rlx);
  script.choices = {0};
  EXPECT_EQ(t2.load(y, acq), 1);
  EXPECT_EQ(t2.load(x, rlx), 0);
}

TEST_F(OrderTest, FencesOnBothSides) {
  for (Order order : {acq_rel, sc}) {
    begin(Model::kCpp);
    x = y = 0;
    t1.store(x, 1, rlx);
    t1.fence(order);
    t1.store(y, 1, rlx);
    script.choices = {0};
    EXPECT_EQ(t2.load(y, rlx), 1);
    t2.fence(order);
    EXPECT_EQ(t2.load(x, rlx), 1);
  }
}

TEST_F(OrderTest, ReadModifyWriteReadsTheNewest) {
  t1.store(x, 5, rlx);
  EXPECT_EQ(t2.add(x, 1, rlx), 5);
  EXPECT_EQ(t3.exchange(x, 9, rlx), 6);
  EXPECT_EQ(x, 9);
}

TEST_F(OrderTest, ReadModifyWriteAcquires) {
  t1.store(x, 1, rlx);
  t1.store(y, 1, rel);
  EXPECT_EQ(t2.add(y, 1, acq), 1);
  EXPECT_EQ(t2.load(x, rlx), 1);
  EXPECT_EQ(t3.add(y, 1, rel), 2);
  EXPECT_EQ(t3.load(x, rlx), 0);
}

TEST_F(OrderTest, CompareExchange) {
  int expected = 0;
  EXPECT_TRUE(t1.exchange_if(x, expected, 4, acq_rel, rlx));
  t1.store(x, 7, rlx);
  expected = 7;
  script.choices = {0};
  EXPECT_TRUE(t2.exchange_if(x, expected, 8, rlx, rlx));
  EXPECT_EQ(x, 8);
}

TEST_F(OrderTest, FailedCompareExchangeMayReadWhatIsStaleAndDiffers) {
  t1.store(x, 1, rlx);
  t1.store(x, 2, rlx);
  int expected = 1;
  script.choices = {1};
  EXPECT_FALSE(t2.exchange_if(x, expected, 9, rlx, rlx));
  EXPECT_EQ(expected, 0) << "of 0, 1 and 2: 2 is the newest, 1 was expected";
  EXPECT_EQ(script.counts, std::vector<unsigned>{2});
  expected = 0;
  EXPECT_FALSE(t1.exchange_if(x, expected, 9, rlx, rlx)) << "the writer itself sees only 2";
  EXPECT_EQ(expected, 2);
}

TEST_F(OrderTest, FailedCompareExchangeHasItsOwnOrder) {
  t1.store(x, 1, rlx);
  t1.store(y, 1, rel);
  int expected = 5;
  script.choices = {0};
  EXPECT_FALSE(t2.exchange_if(y, expected, 9, acq_rel, rlx));
  EXPECT_EQ(t2.load(x, rlx), 0);
  expected = 5;
  EXPECT_FALSE(t2.exchange_if(y, expected, 9, rlx, acq));
  EXPECT_EQ(t2.load(x, rlx), 1);
}

TEST_F(OrderTest, ThreadsStartAndEnd) {
  t0.store(x, 1, rlx);
  memory.start(5, 0);
  t0.store(x, 2, rlx);
  Actor t5(memory, 5);
  EXPECT_EQ(t5.load(x, rlx), 1);
  t5.store(y, 1, rlx);
  EXPECT_EQ(t1.load(y, rlx), 0);
  memory.join(1, 5);
  EXPECT_EQ(t1.load(y, rlx), 1);
}

TEST_F(OrderTest, Locks) {
  int lock = 0;
  t1.store(x, 1, rlx);
  t1.unlock(&lock);
  t1.store(x, 2, rlx);
  EXPECT_EQ(t2.load(x, rlx), 0);
  t2.lock(&lock);
  EXPECT_EQ(t2.load(x, rlx), 1);
}

TEST_F(OrderTest, BeginForgets) {
  t1.store(x, 1, rlx);
  begin(Model::kCpp);
  EXPECT_EQ(t2.load(x, rlx), 1);
  EXPECT_TRUE(script.counts.empty()) << "what memory held was there before all";
}

template <class T>
void whole_width(World& world) {
  world.begin(Model::kCpp);  // one object may lie where another lay
  T object = 0;
  const T value = static_cast<T>(~T{0} - 2);
  world.t1.store(object, value, rel);
  world.script.choices = {0};
  EXPECT_TRUE(world.t2.load(object, acq) == value);
  EXPECT_TRUE(world.t2.add(object, T{5}, acq_rel) == value);
  EXPECT_TRUE(object == T{2}) << sizeof(T);
  T expected = 2;
  EXPECT_TRUE(world.t2.exchange_if(object, expected, value, sc, rlx));
  EXPECT_TRUE(object == value);
}

TEST_F(OrderTest, EveryWidth) {
  whole_width<uint8_t>(*this);
  whole_width<uint16_t>(*this);
  whole_width<uint32_t>(*this);
  whole_width<uint64_t>(*this);
  whole_width<Value>(*this);
  EXPECT_TRUE(script.seen.empty());
}

TEST_F(OrderTest, WhatOverflowsIsCutOff) {
  uint8_t small = 250;
  t1.store(x, 1, rlx);
  t1.add(small, uint8_t{10}, rel);
  script.choices = {0};
  EXPECT_EQ(t2.load(small, acq), 4);
  script.choices.clear();
  EXPECT_EQ(t2.load(x, rlx), 1) << "and it is still the store that released";
}

TEST_F(OrderTest, ChoicesFitInAByte) {
  for (int i = 1; i <= 1000; ++i) t1.store(x, i, rlx);
  script.choices = {150};
  EXPECT_EQ(t2.load(x, rlx), 850);
  EXPECT_EQ(t3.load(x, rlx), 0) << "the oldest stays possible";
  EXPECT_LE(script.counts[0], 255u);
}

TEST_F(OrderTest, ManyStoresOfManyEpochs) {
  for (int i = 1; i <= 100; ++i) {
    t1.store(x, i, rlx);
    t1.store(y, i, rel);
  }
  for (unsigned seen : {10u, 50u, 99u}) {
    const auto older = static_cast<unsigned>(100 - seen);
    script.choices = {older};
    EXPECT_EQ(t2.load(y, acq), static_cast<int>(seen));
    EXPECT_EQ(t2.load(x, rlx), static_cast<int>(seen));
  }
}

}  // namespace
}  // namespace engine
