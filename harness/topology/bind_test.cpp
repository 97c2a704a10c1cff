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

TEST(Bind, RefusalIsBroken) {
  std::thread([] { EXPECT_THROW(bind_this_thread(99'999), Broken); }).join();
}

}  // namespace
}  // namespace harness
