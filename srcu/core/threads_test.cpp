#include "srcu/core/threads.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Domain;
using test::Flag;

uint32_t number() { return static_cast<uint32_t>(srcu_slot_offset / sizeof(srcu_slot)); }

void read_once(srcu_struct* ssp) { srcu_read_unlock(ssp, srcu_read_lock(ssp)); }

uint64_t locks(const srcu_slot& slot) { return slot.rank[0].lock + slot.rank[1].lock; }

TEST(Threads, TakeANumberAtTheFirstSection) {
  Domain domain;
  std::jthread([&] {
    EXPECT_EQ(number(), 0u);
    read_once(domain);
    const uint32_t own = number();
    EXPECT_GT(own, 0u);
    EXPECT_LT(own, threads_ever());
    read_once(domain);
    take_thread_number();
    EXPECT_EQ(number(), own) << "for life";
  }).join();
}

TEST(Threads, GiveItBackWhenTheyExit) {
  Domain domain;
  std::set<uint32_t> seen;
  for (int i = 0; i < 20; ++i) {
    std::jthread([&] {
      read_once(domain);
      seen.insert(number());
    }).join();
  }
  EXPECT_EQ(seen.size(), 1u) << "the lowest free number is the one that was given back";
}

TEST(Threads, AtATimeHaveDifferentNumbers) {
  constexpr size_t kThreads = 100;
  Domain domain;
  std::vector<uint32_t> numbers(kThreads);
  std::atomic<size_t> have{0};
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        read_once(domain);
        numbers[i] = number();
        ++have;
        EXPECT_TRUE(test::eventually([&] { return have == kThreads; }));
      });
    }
  }
  EXPECT_EQ(std::set<uint32_t>(numbers.begin(), numbers.end()).size(), kThreads);
  EXPECT_EQ(std::set<uint32_t>(numbers.begin(), numbers.end()).count(0), 0u);
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

TEST(Threads, ANewOwnerGoesOnWithTheOldCounts) {
  Domain domain;
  uint32_t first = 0, second = 0;
  uint64_t after_first = 0, after_second = 0;
  const auto body = [&](uint32_t& own, uint64_t& count, int sections) {
    for (int i = 0; i < sections; ++i) read_once(domain);
    own = number();
    count = locks(domain.usage().slots[own]);
  };
  std::jthread([&] { body(first, after_first, 3); }).join();
  std::jthread([&] { body(second, after_second, 2); }).join();
  EXPECT_EQ(first, second);
  EXPECT_EQ(after_first, 3u);
  EXPECT_EQ(after_second, 5u);
}

TEST(Threads, MoreInSequenceThanThereAreNumbers) {
  Domain domain;
  read_once(domain);
  std::jthread([&] { read_once(domain); }).join();
  const uint32_t ever = threads_ever();
  for (uint32_t i = 0; i < kMaxThreads + 500; ++i) std::jthread([&] { read_once(domain); }).join();
  EXPECT_EQ(threads_ever(), ever) << "numbers leak, and sums grow";
  EXPECT_EQ(srcu_open_sections(domain), 0);
  synchronize_srcu(domain);
}

// Many come and go while their slots are summed.
TEST(Threads, ComeAndGoUnderGracePeriods) {
  Domain domain;
  std::atomic<unsigned> running{3};
  std::vector<std::jthread> spawners;
  for (int i = 0; i < 3; ++i) {
    spawners.emplace_back([&] {
      for (int round = 0; round < 150; ++round) std::jthread([&] { read_once(domain); }).join();
      --running;
    });
  }
  while (running) synchronize_srcu_expedited(domain);
  spawners.clear();
  EXPECT_EQ(srcu_open_sections(domain), 0);
  EXPECT_GT(srcu_batches_completed(domain), 0u);
}

/// Takes every number there is, as that many threads would.
void take_all_numbers() {
  for (uint32_t i = 0; i < kMaxThreads; ++i) {
    srcu_slot_offset = 0;
    take_thread_number();
  }
  srcu_slot_offset = 0;
}


// A thread without a number reads in slot 0, beside others; grace periods wait for it.
int reads_without_a_number() {
  static srcu_struct ssp, fast;
  CHILD_CHECK(init_srcu_struct(&ssp) == 0 && init_srcu_struct_fast(&fast) == 0);
  take_all_numbers();
  std::jthread([] {
    const int idx = srcu_read_lock(&ssp);
    srcu_ctr* const ctr = srcu_read_lock_fast(&fast);
    CHILD_CHECK(number() == 0);
    CHILD_CHECK(locks(usage_of(&ssp).slots[0]) == 1 && locks(usage_of(&fast).slots[0]) == 1);
    std::vector<std::pair<srcu_struct*, unsigned long>> cookies;
    for (srcu_struct* each : {&ssp, &fast}) cookies.emplace_back(each, start_poll_synchronize_srcu(each));
    for (auto& [each, cookie] : cookies) {
      CHILD_CHECK(test::eventually([domain = each] { return test::state_of(usage_of(domain)) == GpState::kScan2; }));
      CHILD_CHECK(!poll_state_synchronize_srcu(each, cookie));
    }
    srcu_read_unlock(&ssp, idx);
    srcu_read_unlock_fast(&fast, ctr);
    for (auto& [each, cookie] : cookies)
      CHILD_CHECK(test::eventually([domain = each, seq = cookie] { return poll_state_synchronize_srcu(domain, seq); }));
  }).join();
  std::vector<std::jthread> many;
  for (int i = 0; i < 4; ++i) {
    many.emplace_back([] {
      for (int round = 0; round < 2000; ++round) {
        read_once(&ssp);
        srcu_read_unlock_fast(&fast, srcu_read_lock_fast(&fast));
      }
    });
  }
  many.clear();
  CHILD_CHECK(srcu_open_sections(&ssp) == 0 && srcu_open_sections(&fast) == 0);
  CHILD_CHECK(locks(usage_of(&ssp).slots[0]) >= 8001);
  synchronize_srcu(&ssp);
  synchronize_srcu(&fast);
  return 0;
}

TEST(Threads, WithoutANumberShareASlot) { EXPECT_EQ(test::in_child(reads_without_a_number), 0); }

int takes_a_number_that_was_given_back() {
  static srcu_struct ssp;
  CHILD_CHECK(init_srcu_struct(&ssp) == 0);
  take_all_numbers();
  std::jthread([] {
    read_once(&ssp);
    CHILD_CHECK(number() == 0);
    srcu_slot_offset = 77 * sizeof(srcu_slot);  // this one's own, it exits with it
  }).join();
  std::jthread([] {
    read_once(&ssp);
    CHILD_CHECK(number() == 77);
  }).join();
  return 0;
}

TEST(Threads, TakeANumberAgainOnceOneIsFree) {
  EXPECT_EQ(test::in_child(takes_a_number_that_was_given_back), 0);
}

}  // namespace
}  // namespace srcu
