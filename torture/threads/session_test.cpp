#include "torture/threads/session.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/topology/bind.hpp"

namespace torture {
namespace {

harness::ProgressBoard* board;

[[noreturn]] void* tell_whether_watched() {
  const auto threads = board->read();
  _exit(!threads.empty() && threads.front().expected ? 42 : 1);
}

/// A scheme whose create() is as far as it comes.
Ops created_only() {
  Ops ops{};
  ops.name = "created";
  ops.create = [] { return tell_whether_watched(); };
  ops.read_lock = [](void*, void*) -> uint64_t { return 0; };
  ops.read_unlock = [](void*, void*, uint64_t) {};
  ops.synchronize = [](void*, void*) {};
  return ops;
}

// Else a scheme that hangs in create() would hang the whole run, for nobody expects a heartbeat.
TEST(SessionDeathTest, IsWatchedBeforeTheSchemeIsFirstCalled) {
  std::string dir = testing::TempDir() + "sessionXXXXXX";
  ASSERT_NE(mkdtemp(dir.data()), nullptr);
  harness::ProgressBoard shared(4);
  board = &shared;
  const Ops ops = created_only();
  const SessionPlan plan{.ops = ops,
                         .params = {},
                         .seed = 1,
                         .duration_ns = 1'000'000,
                         .stop_latency_ns = 0,
                         .start_ns = harness::now_ns(),
                         .dir = dir,
                         .seats = {},
                         .pus = harness::affinity(),
                         .cpus = 1,
                         .notes = {},
                         .board = shared};
  EXPECT_EXIT(run_session(plan), testing::ExitedWithCode(42), "");
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace torture
