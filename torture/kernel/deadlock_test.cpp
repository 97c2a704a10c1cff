#include "torture/kernel/deadlock.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <thread>
#include <vector>

namespace torture::kernel {
namespace {

// The largest model has 64 CPUs with three threads each, and the torture's own threads come on top.
TEST(Deadlock, HasRoomForTheLargestModel) {
  constexpr int kThreads = 400;
  std::barrier all(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&all] {
      const Member member("one of many");
      all.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace torture::kernel
