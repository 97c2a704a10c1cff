#include "harness/base/random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace harness {
namespace {

TEST(Random, SameNameSameStream) {
  Random a(7, "reader", 3), b(7, "reader", 3);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(a.next(), b.next());
}

TEST(Random, SeedRoleAndIndexEachMatter) {
  std::set<uint64_t> first;
  for (uint64_t seed : {1, 2})
    for (const char* role : {"reader", "writer"})
      for (uint64_t index : {0, 1}) first.insert(Random(seed, role, index).next());
  EXPECT_EQ(first.size(), 8u);
}

TEST(Random, BelowStaysBelowAndReachesAll) {
  Random r(1, "t", 0);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(r.below(10));
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_LT(*seen.rbegin(), 10u);
  EXPECT_EQ(r.below(0), 0u);
}

TEST(Random, OneInN) {
  Random r(1, "t", 0);
  int hits = 0;
  for (int i = 0; i < 100000; ++i) hits += r.one_in(100);
  EXPECT_NEAR(hits, 1000, 200);
  EXPECT_FALSE(r.one_in(0));
  EXPECT_TRUE(r.one_in(1));
}

}  // namespace
}  // namespace harness
