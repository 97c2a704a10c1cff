// Time, and waiting for others. The names of those that must fail begin with "wrong_".
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "harness/engine/env.hpp"
#include "harness/engine/test.hpp"

namespace {

using engine::check;
namespace env = engine::env;
constexpr auto kRelaxed = std::memory_order_relaxed;

std::atomic<int> flag, other_flag;
std::atomic<uint32_t> word;

void spin(const std::atomic<int>& until) {
  while (until.load(kRelaxed) == 0) env::cpu_relax();
}

void spin_without_pause(const std::atomic<int>& until) {
  while (until.load(kRelaxed) == 0) {
  }
}

template <uint64_t kNs>
void sleep_and_set() {
  env::sleep_ns(kNs);
  flag.store(1, kRelaxed);
}

}  // namespace

ENGINE_TEST(short_sleep_beside_spinning, "A sleeper has slept enough once enough time went by.") {
  test.thread([] { spin(flag); }).thread(sleep_and_set<1000>);
}

ENGINE_TEST(long_sleep_beside_spinning, "Time goes on when all others wait in their own way.") {
  test.thread([] { spin(flag); }).thread([] { spin(flag); }).thread(sleep_and_set<1'000'000'000>);
}

ENGINE_TEST(long_sleep_beside_blind_spinning, "The same when they do not say that they wait.") {
  test.thread([] { spin_without_pause(flag); }).thread([] { spin_without_pause(flag); }).thread(sleep_and_set<1'000'000'000>);
}

ENGINE_TEST(both_yield, "Of two threads that yield each is on again.") {
  test.thread([] { spin(flag); });
  test.thread([] {
    env::cpu_relax();
    flag.store(1, kRelaxed);
  });
}

ENGINE_TEST(both_yield_the_other_way, "Whatever their numbers are.") {
  test.thread([] {
    env::cpu_relax();
    flag.store(1, kRelaxed);
  });
  test.thread([] { spin(flag); });
}
