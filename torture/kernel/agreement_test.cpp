#include "torture/kernel/agreement.hpp"

#include <gtest/gtest.h>

namespace torture {
namespace {

struct Row {
  const char *predicted, *prover, *real;
  bool agrees, rare = false;
};

TEST(Agreement, Table) {
  const Row rows[] = {
      {"ok", "ok", "ok", true},
      {"ok", "lock_cycle", "ok", false},
      {"ok", "ok", "self_deadlock", false},
      {"ok", "ok", "lost_callback", false},
      {"ok", "ok", "crash", false},
      {"ok", "ok", "n/a", false},
      {"ok", "stalled_gp", "ok", false},
      {"deadlock", "self_deadlock", "self_deadlock", true},
      {"deadlock", "lock_cycle", "self_deadlock", true},
      {"deadlock", "lock_cycle", "lock_cycle", true},
      {"deadlock", "lock_cycle", "ok", false},
      {"deadlock", "lock_cycle", "ok", true, true},
      {"deadlock", "self_deadlock", "self_deadlock", true, true},
      {"deadlock", "ok", "ok", false, true},
      {"deadlock", "lock_cycle", "stalled_gp", false, true},
      {"deadlock", "ok", "self_deadlock", false},
      {"deadlock", "wait_context", "self_deadlock", false},
      {"deadlock", "lock_cycle", "stalled_gp", false},
      {"deadlock", "lock_cycle", "crash", false},
      {"cycle", "lock_cycle", "ok", true},
      {"cycle", "lock_cycle", "lock_cycle", true},
      {"cycle", "self_deadlock", "ok", true},
      {"cycle", "lock_cycle", "self_deadlock", false},
      {"cycle", "ok", "ok", false},
      {"cycle", "lock_cycle", "stalled_gp", false},
      {"class_only", "self_deadlock", "ok", true},
      {"class_only", "lock_cycle", "ok", true},
      {"class_only", "lock_cycle", "lock_cycle", false},
      {"class_only", "ok", "ok", false},
      {"wait_context", "wait_context", "ok", true},
      {"wait_context", "wait_context", "wait_context", true},
      {"wait_context", "ok", "wait_context", false},
      {"wait_context", "wait_context", "self_deadlock", false},
      {"leak", "ok", "lost_callback", true},
      {"leak", "ok", "ok", true},
      {"leak", "lock_cycle", "lost_callback", false},
      {"leak", "ok", "double_callback", false},
      {"n/a", "n/a", "n/a", true},
      {"n/a", "ok", "n/a", false},
      {"n/a", "n/a", "ok", false},
      {"n/a", "n/a", "crash", false},
      {"deadlock", "n/a", "n/a", false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(contradiction(row.predicted, row.prover, row.real, row.rare).why.empty(), row.agrees)
        << row.predicted << " " << row.prover << " " << row.real << (row.rare ? " rare" : "");
}

TEST(Agreement, WithoutAPredictionOnlyWhatIsNoAnswerContradicts) {
  for (const char* answer : {"ok", "n/a", "lock_cycle", "self_deadlock", "wait_context"})
    EXPECT_TRUE(unforetold(answer).why.empty()) << answer;
  for (const char* none : {"crash", "stalled_gp", "lost_callback"}) EXPECT_FALSE(unforetold(none).why.empty()) << none;
}

TEST(Agreement, SaysWhoAndWhatWasExpected) {
  EXPECT_EQ(contradiction("cycle", "ok", "self_deadlock").why,
            "the prover says ok, where lock_cycle or self_deadlock would agree; the real run says self_deadlock, where "
            "lock_cycle or ok would agree");
  EXPECT_EQ(contradiction("cycle", "ok", "self_deadlock").check, "self_deadlock");
  EXPECT_EQ(contradiction("cycle", "ok", "ok").check, "lock_cycle");
  EXPECT_EQ(contradiction("ok", "ok", "crash").check, "crash");
  EXPECT_EQ(contradiction("ok", "lock_cycle", "ok").check, "lock_cycle");
  EXPECT_TRUE(contradiction("deadlock", "ok", "self_deadlock").missed);
  EXPECT_EQ(contradiction("deadlock", "lock_cycle", "ok").check, "self_deadlock");
  EXPECT_TRUE(contradiction("deadlock", "lock_cycle", "ok").missed);
  EXPECT_FALSE(contradiction("cycle", "ok", "self_deadlock").missed);
}

}  // namespace
}  // namespace torture
