#include "harness/topology/bind.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

TEST(Bind, EveryAllowedCpuIsTaken) {
  for (const unsigned cpu : affinity()) {
    std::thread([cpu] {
      bind_this_thread(cpu);
      EXPECT_EQ(affinity(), (std::vector<unsigned>{cpu}));
      EXPECT_EQ(current_cpu(), cpu);
    }).join();
  }
}

TEST(Bind, ConfinedThreadAndItsOffspringStay) {
  const std::vector<unsigned> all = affinity();
  const std::vector<unsigned> half(all.begin(), all.begin() + static_cast<ptrdiff_t>((all.size() + 1) / 2));
  std::thread([&half] {
    EXPECT_EQ(confine(0, {half.rbegin(), half.rend()}), "");
    std::thread([&half] { EXPECT_EQ(affinity(), half); }).join();
  }).join();
  EXPECT_EQ(affinity(), all);
}

TEST(Bind, ConfinementThatTheKernelNarrowsIsNone) {
  std::vector<unsigned> more = affinity();
  more.push_back(99'999);
  std::thread([&more] { EXPECT_EQ(confine(0, more), "the kernel kept another mask"); }).join();
}

TEST(Bind, RefusalIsBroken) {
  std::thread([] { EXPECT_THROW(bind_this_thread(99'999), Broken); }).join();
}

}  // namespace
}  // namespace harness
