#include <gtest/gtest.h>

#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/cell.hpp"
#include "torture/kernel/context.hpp"
#include "torture/kernel/cpu.hpp"
#include "torture/kernel/fault.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/natural.hpp"

namespace torture::kernel {
namespace {

// A deadlock ends the process: each in a child of its own.
void print(const CellOutcome& outcome, void*) {
  fprintf(stderr, "%s after %u tries\n%s\np50 %.0f ns, needless %.2f\n", outcome.check.c_str(), outcome.tries,
          outcome.evidence.c_str(), outcome.p50_ns, outcome.needless);
  _exit(0);
}

void expect(const Cell& cell, Way way, const char* words) {
  EXPECT_EXIT(run_cell(cell, way, print, nullptr), testing::ExitedWithCode(0), words);
}

TEST(RunCell, NothingHeldIsOk) {
  expect({"none", "direct", "own", "same", "normal"}, Way::kReal, "^ok after 20");
  expect({"none", "direct", "own", "same", "normal"}, Way::kProver, "^ok");
}

TEST(RunCell, DirectUnderRqLockIsADeadlockOfItself) {
  expect({"rq_lock", "direct", "own", "same", "normal"}, Way::kReal, "^self_deadlock");
  expect({"rq_lock", "direct", "own", "same", "normal"}, Way::kProver, "circular locking|recursive locking");
}

}  // namespace
}  // namespace torture::kernel
