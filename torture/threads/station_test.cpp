#include "torture/threads/station.hpp"

#include <gtest/gtest.h>

#include <set>

#include "harness/base/errors.hpp"

namespace torture {
namespace {

std::vector<Element*> chain(Station& station, unsigned bucket) {
  std::vector<Element*> found;
  for (Element* e = station.bucket(bucket).load(); e; e = e->next.load()) found.push_back(e);
  return found;
}

class EveryShape : public testing::TestWithParam<const char*> {};

TEST_P(EveryShape, ChainsKeepLengthAndOrderWhateverIsReplaced) {
  const Shape shape = Shape::of(GetParam());
  Station station(shape, 1, 0);
  for (int i = 0; i < 1000; ++i) {
    Element* e = station.replace();
    ASSERT_NE(e, nullptr);
    EXPECT_EQ(e->pipe.load(), 1U);
    EXPECT_EQ(e->next.load(), nullptr) << "a walker could go on from what was taken away";
    for (unsigned b = 0; b < shape.buckets; ++b) {
      const auto elements = chain(station, b);
      ASSERT_EQ(elements.size(), shape.length);
      uint64_t newest = ~uint64_t{0};
      for (const Element* x : elements) {
        EXPECT_NE(x, e);
        EXPECT_LT(x->generation.load(), newest);
        EXPECT_EQ(x->payload.load(), seal(x->generation.load()));
        newest = x->generation.load();
      }
    }
    while (station.age(e)) {
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, EveryShape, testing::Values("pointer", "list", "hash"));

TEST(Station, UnknownWorkloadIsUsage) { EXPECT_THROW(Shape::of("tree"), harness::UsageError); }

TEST(Station, ElementIsPoisonedAtTheTenthGracePeriod) {
  Station station(Shape::of("pointer"), 1, 0);
  Element* e = station.replace();
  for (uint32_t pipe = 2; pipe < kPipeLength; ++pipe) {
    EXPECT_TRUE(station.age(e));
    EXPECT_EQ(e->pipe.load(), pipe);
    EXPECT_NE(e->payload.load(), kPoison);
  }
  EXPECT_FALSE(station.age(e));
  EXPECT_EQ(e->payload.load(), kPoison);
}

TEST(Station, CountsWhatLeavesEachStage) {
  Station station(Shape::of("list"), 1, 0);
  Element* freed = station.replace();
  while (station.age(freed)) {
  }
  station.age(station.replace());
  EXPECT_EQ(station.left_stage(0), 2U);
  EXPECT_EQ(station.left_stage(1), 2U);
  for (size_t pipe = 2; pipe < kPipeLength; ++pipe) EXPECT_EQ(station.left_stage(pipe), 1U) << pipe;
  EXPECT_EQ(station.left_stage(kPipeLength), 0U);
}

TEST(Station, FreedElementIsReusedLast) {
  Station station(Shape::of("pointer"), 1, 0);
  Element* first = station.replace();
  while (station.age(first)) {
  }
  std::set<Element*> seen;
  for (unsigned i = 0; i + 1 < kSpareElements; ++i) seen.insert(station.replace());
  EXPECT_FALSE(seen.contains(first));
  EXPECT_NE(station.bucket(0).load(), first);
}

TEST(Station, PoolRunsDryAndSaysSo) {
  Station station(Shape::of("pointer"), 1, 0);
  for (unsigned i = 0; i < kSpareElements; ++i) ASSERT_NE(station.replace(), nullptr);
  EXPECT_EQ(station.replace(), nullptr);
}

TEST(Station, AccountsOfCallbacks) {
  Station station(Shape::of("pointer"), 1, 0);
  Element* e = station.replace();
  station.note_post(e);
  EXPECT_EQ(station.in_flight(), 1U);
  EXPECT_EQ(station.pending_bytes(), sizeof(Element));
  Station::on_callback(&e->head);
  EXPECT_EQ(station.invoked(), 1U);
  EXPECT_EQ(station.doubled(), 0U);
  Station::on_callback(&e->head);
  EXPECT_EQ(station.doubled(), 1U) << "the second run of one post";
  EXPECT_EQ(station.invoked(), 1U);
  EXPECT_EQ(station.take_returned(), e);
  EXPECT_EQ(station.take_returned(), nullptr);
}

}  // namespace
}  // namespace torture
