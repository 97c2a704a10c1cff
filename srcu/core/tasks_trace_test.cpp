#include <gtest/gtest.h>

#include <thread>

#include "srcu/core/usage.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::eventually;
using test::Flag;

TEST(TasksTrace, NestsSixtyFourDeep) {
  EXPECT_FALSE(rcu_read_lock_trace_held());
  for (int i = 0; i < 64; ++i) rcu_read_lock_trace();
  EXPECT_TRUE(rcu_read_lock_trace_held());
  EXPECT_EQ(srcu_open_sections(&rcu_tasks_trace_srcu_struct), 64);
  for (int i = 0; i < 64; ++i) rcu_read_unlock_trace();
  EXPECT_FALSE(rcu_read_lock_trace_held());
  EXPECT_EQ(srcu_open_sections(&rcu_tasks_trace_srcu_struct), 0);
}

// Sections in both ranks, nested across flips, are closed in theirs.
TEST(TasksTrace, ClosesTheRankThatItOpened) {
  for (int depth = 0; depth < 4; ++depth) {
    rcu_read_lock_trace();
    const unsigned long cookie = start_poll_synchronize_srcu(&rcu_tasks_trace_srcu_struct);
    ASSERT_TRUE(eventually([&] { return test::state_of(usage_of(&rcu_tasks_trace_srcu_struct)) != GpState::kIdle; }));
    EXPECT_FALSE(poll_state_synchronize_srcu(&rcu_tasks_trace_srcu_struct, cookie));
  }
  for (int depth = 0; depth < 4; ++depth) rcu_read_unlock_trace();
  for (const uint32_t rank : {0U, 1U}) EXPECT_EQ(open_sections(usage_of(&rcu_tasks_trace_srcu_struct), rank), 0);
  synchronize_rcu_tasks_trace();
}

TEST(TasksTrace, UpdatersWaitForReaders) {
  Flag open, returned;
  bool seen = false;
  std::jthread reader([&] {
    rcu_read_lock_trace();
    open.set();
    EXPECT_TRUE(eventually([&] {
      return test::state_of(usage_of(&rcu_tasks_trace_srcu_struct)) == GpState::kScan2 || returned.is_set();
    }));
    EXPECT_FALSE(returned.is_set());
    seen = true;
    rcu_read_unlock_trace();
  });
  ASSERT_TRUE(open.wait());
  synchronize_rcu_tasks_trace();
  EXPECT_TRUE(seen);
  returned.set();
}

TEST(TasksTrace, CallbacksComeAndTheBarrierWaits) {
  test::Counted counted;
  call_rcu_tasks_trace(&counted.head, test::Counted::on_grace_period);
  rcu_barrier_tasks_trace();
  EXPECT_EQ(counted.times(), 1u);
}

}  // namespace
}  // namespace srcu
