// Threads that are gone without giving their number back, as one is that reads in the last moments of its exit: the number
// is found again, and no living thread's is.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Domain;
using test::eventually;
using test::Flag;

uint32_t number() { return static_cast<uint32_t>(srcu_slot_offset / sizeof(srcu_slot)); }

void read_once(srcu_struct* ssp) { srcu_read_unlock(ssp, srcu_read_lock(ssp)); }

/// What makes the thread's end forget it, as if its section came after that.
void lose_number() { srcu_slot_offset = 0; }

/// One after the other, so that hardly more than one lives at a time.
template <class Body>
void each_in_a_thread_that_loses_its_number(int threads, Body body) {
  for (int i = 0; i < threads; ++i) {
    std::jthread([&] {
      body();
      lose_number();
    }).join();
  }
}

TEST(ThreadsGone, LeaveNoNumberForGood) {
  Domain domain;
  read_once(domain);
  const uint32_t before = threads_ever();
  each_in_a_thread_that_loses_its_number(1000, [&] { read_once(domain); });
  EXPECT_LE(threads_ever(), 2 * std::max(before, 16u) + 8) << "numbers leak, and sums grow";
  EXPECT_EQ(srcu_open_sections(domain), 0);
  synchronize_srcu(domain);
}

/// Who has which number. No two may have one.
class Owners {
 public:
  bool come() { return !has_[number()].exchange(true); }
  void go() { has_[number()] = false; }

 private:
  std::array<std::atomic<bool>, kMaxThreads> has_{};
};

TEST(ThreadsGone, AreNotTakenForTheLiving) {
  constexpr unsigned kLiving = 40;
  static Owners owners;
  Domain domain;
  Flag done;
  std::atomic<unsigned> shared{0}, here{0};
  std::vector<std::jthread> living, spawners;
  for (unsigned i = 0; i < kLiving; ++i) {
    living.emplace_back([&] {
      read_once(domain);
      shared += !owners.come();
      ++here;
      EXPECT_TRUE(done.wait());
      owners.go();
    });
  }
  ASSERT_TRUE(eventually([&] { return here == kLiving; }));
  const uint32_t before = threads_ever();
  for (int i = 0; i < 2; ++i) {
    spawners.emplace_back([&] {
      each_in_a_thread_that_loses_its_number(500, [&] {
        read_once(domain);
        shared += !owners.come();
        owners.go();
      });
    });
  }
  spawners.clear();
  done.set();
  living.clear();
  EXPECT_EQ(shared, 0u);
  // A look begins before twice what lived; while one spawner looks, and is perhaps preempted, the other goes on to twice that.
  EXPECT_LE(threads_ever(), 4 * std::max(before, kLiving + 16) + 8) << "numbers leak: 1000 were lost";
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

// The counts of a number go on, whoever has it, so that a section outlives its thread and its thread's number.
TEST(ThreadsGone, LeaveTheirSectionsOpen) {
  Domain domain;
  int token = -1;
  uint32_t its = 0;
  each_in_a_thread_that_loses_its_number(1, [&] {
    token = srcu_down_read(domain);
    its = number();
  });
  const unsigned long cookie = start_poll_synchronize_srcu(domain);
  bool had_by_another = false;
  each_in_a_thread_that_loses_its_number(200, [&] {
    read_once(domain);
    had_by_another |= number() == its;
  });
  EXPECT_TRUE(had_by_another);
  EXPECT_EQ(srcu_open_sections(domain), 1);
  EXPECT_TRUE(eventually([&] { return test::state_of(domain.usage()) == GpState::kScan2; }));
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, cookie));
  std::jthread([&] { srcu_up_read(domain, token); }).join();
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

/// Others come and go, and look for those that are gone; the calling thread keeps its number.
int keeps_its_number(srcu_struct* ssp) {
  const uint32_t own = number();
  const uint32_t before = threads_ever();
  CHILD_CHECK(own != 0);
  std::atomic<bool> had_by_another{false};
  each_in_a_thread_that_loses_its_number(200, [&] {
    take_thread_number();
    if (number() == own) had_by_another = true;
  });
  CHILD_CHECK(!had_by_another);
  CHILD_CHECK(threads_ever() <= 2 * std::max(before, 16u) + 8);
  CHILD_CHECK(srcu_open_sections(ssp) == 1);
  return 0;
}

TEST(ThreadsGone, AForkedChildsThreadHasItsNumberUnderItsNewId) {
  Domain domain;
  const int token = srcu_read_lock(domain);
  EXPECT_EQ(test::in_child([&] {
              CHILD_CHECK(keeps_its_number(domain) == 0);
              srcu_read_unlock(domain, token);
              return test::use(domain);
            }),
            0);
  srcu_read_unlock(domain, token);
}

// It has its parent's numbers, of threads that are none of its own: it looks for nobody.
TEST(ThreadsGone, AChildThatNobodyToldOfKeepsItsNumber) {
  Domain domain;
  const int token = srcu_read_lock(domain);
  const pid_t child = fork();
  if (child == 0) {
    const uint32_t own = number();
    bool had_by_another = false;
    each_in_a_thread_that_loses_its_number(100, [&] {
      take_thread_number();
      had_by_another |= number() == own;
    });
    _exit(had_by_another);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "its number was given to another";
  srcu_read_unlock(domain, token);
}

int finds_a_number_in_a_full_table() {
  static srcu_struct ssp;
  CHILD_CHECK(init_srcu_struct(&ssp) == 0);
  std::jthread([] {
    for (uint32_t i = 0; i < kMaxThreads; ++i) {
      lose_number();
      take_thread_number();
    }
    CHILD_CHECK(number() == 0 && threads_ever() == kMaxThreads);
  }).join();
  std::jthread([] {
    CHILD_CHECK(eventually([] {
      for (uint32_t i = 0; i < kMaxThreads && number() == 0; ++i) read_once(&ssp);
      return number() != 0;
    }));
  }).join();
  CHILD_CHECK(srcu_open_sections(&ssp) == 0);
  return 0;
}

TEST(ThreadsGone, LeaveTheirNumbersToThoseWithout) { EXPECT_EQ(test::in_child(finds_a_number_in_a_full_table), 0); }

}  // namespace
}  // namespace srcu
