#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Domain;

/// How often it is in the registry.
size_t entries(const srcu_struct* ssp) {
  const IrqLocked locked(registry_lock);
  size_t found = 0;
  for (Usage* usage = first_domain(); usage; usage = next_domain(*usage)) found += usage->domain == ssp;
  return found;
}

size_t entries() {
  const IrqLocked locked(registry_lock);
  size_t found = 0;
  for (Usage* usage = first_domain(); usage; usage = next_domain(*usage)) ++found;
  return found;
}

TEST(Registry, HasEachDomainWhileItLives) {
  srcu_struct ssp;
  ASSERT_EQ(init_srcu_struct(&ssp), 0);
  EXPECT_EQ(entries(&ssp), 1u);
  cleanup_srcu_struct(&ssp);
  EXPECT_EQ(entries(&ssp), 0u);
}

TEST(Registry, LosesNoneWhicheverGoesFirst) {
  for (const std::vector<size_t>& order : {std::vector<size_t>{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}}) {
    std::vector<std::unique_ptr<Domain>> domains;
    for (int i = 0; i < 3; ++i) domains.push_back(std::make_unique<Domain>());
    for (const size_t gone : order) {
      domains[gone].reset();
      for (const auto& domain : domains) {
        if (!domain) continue;
        EXPECT_EQ(entries(*domain), 1u);
      }
    }
  }
}

/// Nanoseconds for each of `count` domains that end, the oldest first: the one that has the longest way from the front.
uint64_t end_oldest_first(size_t count) {
  std::vector<std::unique_ptr<Usage, void (*)(Usage*)>> entered;
  std::vector<srcu_struct> domains(count);
  for (srcu_struct& each : domains) {
    each.srcu_kind = SRCU_KIND_NORMAL;
    void* const memory = env::map(sizeof(Usage));
    if (!memory) break;
    entered.emplace_back(new (memory) Usage(&each), [](Usage* usage) { env::unmap(usage, sizeof(Usage)); });
    register_domain(*entered.back());
  }
  const uint64_t begun = env::now_ns();
  for (const auto& usage : entered) unregister_domain(*usage);
  EXPECT_EQ(entered.size(), count);
  return (env::now_ns() - begun) / count;
}

TEST(Registry, LetsGoOfOneAmongManyAsOfOneAmongFew) {
  const size_t before = entries();
  uint64_t few = ~uint64_t{0}, many = few;
  for (int i = 0; i < 5; ++i) {  // the rest of the time may be others'
    few = std::min(few, end_oldest_first(200));
    many = std::min(many, end_oldest_first(4000));
  }
  EXPECT_LT(many, 10 * few + 1000) << few << " ns among few, " << many << " ns among many";
  EXPECT_EQ(entries(), before);
}

TEST(Registry, TakesManyAtATime) {
  const size_t before = entries();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 200; ++round) {
        Domain one, other;
        EXPECT_EQ(entries(one), 1u);
        EXPECT_EQ(entries(other), 1u);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(entries(), before);
}

// Who comes meanwhile may be a handler that interrupted malloc(), for which the fork waits.
TEST(Registry, FrozenLetsNewcomersInAtOnceInFrontOfTheOthers) {
  Domain there;
  Usage* const first = first_domain();
  ASSERT_TRUE(freeze_registry(first));
  EXPECT_EQ(first_domain(), first) << "being frozen shows in no pointer";
  Domain late, later;
  EXPECT_EQ(first_domain(), &later.usage());
  EXPECT_EQ(next_domain(later.usage()), &late.usage());
  EXPECT_EQ(next_domain(late.usage()), first);
  thaw_registry();
  EXPECT_EQ(first_domain(), &later.usage());
}

TEST(Registry, IsNotFrozenOverNewcomers) {
  Domain old;
  Usage* const first = first_domain();
  Domain newcomer;
  EXPECT_FALSE(freeze_registry(first));
  EXPECT_TRUE(freeze_registry(first_domain()));
  thaw_registry();
}

}  // namespace
}  // namespace srcu
