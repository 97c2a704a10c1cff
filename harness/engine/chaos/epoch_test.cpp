#include "harness/engine/chaos/epoch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace engine::chaos {
namespace {

const std::vector<Site> kSeen = {3, 77, 1029, 4095};

TEST(Epoch, FitsInAWord) {
  Epochs epochs(5);
  for (int i = 0; i < 500; ++i) {
    const Epoch epoch = epochs.next(kSeen);
    EXPECT_EQ(Epoch::of(epoch.word()), epoch);
    EXPECT_EQ(epoch.word() == 0, epoch.kind == Kind::kQuiet);
  }
}

TEST(Epoch, SameSeedDrawsTheSame) {
  Epochs one(9), two(9), other(10);
  unsigned differ = 0;
  for (int i = 0; i < 50; ++i) {
    const Epoch epoch = one.next(kSeen);
    EXPECT_EQ(epoch, two.next(kSeen));
    differ += epoch != other.next(kSeen);
    EXPECT_EQ(one.length_ns(), two.length_ns());
    const uint64_t length = other.length_ns();
    EXPECT_TRUE(length >= 5'000'000 && length <= 20'000'000) << length;
  }
  EXPECT_GT(differ, 20u);
}

TEST(Epoch, EveryKindComesInEachFive) {
  Epochs epochs(1);
  for (int round = 0; round < 40; ++round) {
    std::map<Kind, int> count;
    for (int i = 0; i < 5; ++i) ++count[epochs.next(kSeen).kind];
    EXPECT_EQ(count, (std::map<Kind, int>{{Kind::kQuiet, 1}, {Kind::kUniform, 1}, {Kind::kSwarm, 1}, {Kind::kFocus, 2}}));
  }
}

TEST(Epoch, FocusIsOnSitesThatWereSeen) {
  Epochs epochs(2);
  std::set<Site> on;
  std::set<unsigned> sizes;
  for (int i = 0; i < 500; ++i) {
    const Epoch epoch = epochs.next(kSeen);
    if (epoch.kind != Kind::kFocus) continue;
    sizes.insert(epoch.sites);
    for (unsigned site = 0; site < kSites; ++site) {
      const Part part = part_of(epoch, static_cast<Site>(site));
      if (part.one_in == 0) continue;
      EXPECT_TRUE(part.one_in <= 8 && part.actions != 0);
      on.insert(static_cast<Site>(site));
    }
  }
  EXPECT_EQ(on, std::set<Site>(kSeen.begin(), kSeen.end()));
  EXPECT_EQ(sizes, (std::set<unsigned>{1, 2, 3}));
}

TEST(Epoch, WithNothingSeenAllAreAlike) {
  Epochs epochs(2);
  for (int i = 0; i < 50; ++i) {
    const Epoch epoch = epochs.next({});
    EXPECT_NE(epoch.kind, Kind::kFocus);
    if (epoch.kind != Kind::kUniform) continue;
    for (const Site site : kSeen) EXPECT_EQ(part_of(epoch, site).one_in, epoch.one_in);
  }
}

TEST(Epoch, SwarmTakesHalfOfTheSitesAndGivesEachItsOwn) {
  const Epoch epoch{.kind = Kind::kSwarm, .swarm = 0x123456789}, other{.kind = Kind::kSwarm, .swarm = 0x123456788};
  unsigned on = 0, differ = 0;
  std::set<std::pair<unsigned, unsigned>> parts;
  for (unsigned site = 0; site < kSites; ++site) {
    const Part part = part_of(epoch, static_cast<Site>(site));
    on += part.one_in != 0;
    differ += (part.one_in != 0) != (part_of(other, static_cast<Site>(site)).one_in != 0);
    if (part.one_in != 0) parts.insert({part.one_in, part.actions});
  }
  EXPECT_NEAR(on, kSites / 2, 200);
  EXPECT_NEAR(differ, kSites / 2, 200) << "which, differs from one to the next";
  EXPECT_EQ(parts.size(), 6u * kActions) << "rates of 2 to 64, one action each";
}

TEST(Epoch, SitesAreTheSameWhereverAProgramIsLoaded) {
  const auto at = [](uintptr_t address) { return site_of(reinterpret_cast<void*>(address)); };
  EXPECT_EQ(at(0x555555554abc), at(0x7f1234567abc));
  EXPECT_NE(at(0x555555554abc), at(0x555555554abd));
}

}  // namespace
}  // namespace engine::chaos
