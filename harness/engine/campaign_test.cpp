#include "harness/engine/campaign.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <set>
#include <vector>

#include "harness/engine/distinct.hpp"
#include "harness/engine/env.hpp"
#include "harness/engine/jobs.hpp"
#include "harness/engine/renew.hpp"
#include "harness/supervise/child.hpp"

namespace engine {
namespace {

FILE* nobody_writes_to_it;

/// By libc's own inner calls, which nothing stands in for.
void read_a_line() {
  char line[8];
  check(std::fgets(line, sizeof line, nobody_writes_to_it) == nullptr, "a line");
}

Test blocking() {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  nobody_writes_to_it = fdopen(ends[0], "r");
  Test test;
  test.name = "blocking";
  test.thread(read_a_line);
  return test;
}

Test failing() {
  Test test;
  test.name = "failing";
  test.thread([] { check(false, "always"); });
  return test;
}

Plan short_plan() {
  static const bool kept = (keep_program(), true);
  (void)kept;
  Plan plan;
  plan.executions = 20;
  plan.patience_s = 1;
  return plan;
}

TEST(Campaign, AnExecutionThatBlocksIsBrokenAndNamesWhichItWas) {
  const engine::Test test = blocking();
  const Report report = run_campaign(test, short_plan());
  EXPECT_TRUE(report.broken);
  EXPECT_FALSE(report.failed);
  EXPECT_EQ(report.what.find("execution 1 blocks outside of the engine's sight"), 0u) << report.what;
}

TEST(Campaign, SoIsAReplayThatBlocks) {
  const Report report = run_once(blocking(), {build_id(), "blocking", short_plan().settings, 0}, false, 1);
  EXPECT_TRUE(report.broken);
  EXPECT_EQ(report.what.find("execution 1 blocks"), 0u) << report.what;
}

harness::ProcStat asleep(double cpu_s, char state = 'S') { return {"", state, cpu_s, 0}; }

/// Of 1000 looks at what `stat` gives for each.
bool ever_blocked(auto execution, auto stat) {
  Stillness stillness;
  for (unsigned i = 0; i < 1000; ++i)
    if (stillness.look(execution(i), stat(i))) return true;
  return false;
}

TEST(Stillness, IsOfWhoSleepsInOneExecutionAndNeverRuns) {
  const auto first = [](unsigned) { return uint64_t{0}; };
  EXPECT_TRUE(ever_blocked(first, [](unsigned) { return asleep(1); }));
  EXPECT_FALSE(ever_blocked(first, [](unsigned i) { return asleep(i / 50); })) << "it runs now and then";
  EXPECT_FALSE(ever_blocked([](unsigned i) { return uint64_t{i / 50}; }, [](unsigned) { return asleep(1); })) << "it comes on";
  EXPECT_FALSE(ever_blocked([](unsigned) { return Line::kNone; }, [](unsigned) { return asleep(1); })) << "no execution is on";
  for (const char state : {'R', 'T', 't'})
    EXPECT_FALSE(ever_blocked(first, [state](unsigned) { return asleep(1, state); })) << "starved or stopped: " << state;
}

TEST(Campaign, AReplayThatComesToSomethingElseIsBroken) {
  const engine::Test test = failing();
  const Report found = run_campaign(test, short_plan());
  ASSERT_TRUE(found.failed) << found.what;
  Token token = from_text(found.token);
  EXPECT_EQ(token.hash, found.hash);
  EXPECT_TRUE(run_once(test, token, false).failed);
  ++token.hash;
  const Report other = run_once(test, token, false);
  EXPECT_FALSE(other.failed);
  EXPECT_TRUE(other.broken);
  EXPECT_NE(other.what.find("did not come to what the token's did"), std::string::npos) << other.what;
  EXPECT_NE(other.what.find("always"), std::string::npos) << other.what;
}

TEST(Campaign, EachPlaceOfAHandlerMeetsEachStrategy) {
  constexpr uint32_t kSteps = 10;
  Plan plan;
  plan.each_handler = true;
  std::set<std::pair<uint32_t, Strategy>> met;
  for (uint64_t i = 0; i < 2 * kSteps; ++i) {
    const Settings settings = settings_of(plan, i, kSteps);
    met.insert({settings.handler_at, settings.strategy});
  }
  EXPECT_EQ(met.size(), 2 * kSteps);
}

TEST(Distinct, CountsWhatAnyProcessAddedOnce) {
  Distinct distinct;
  const auto add = [&](uint64_t from) {
    for (uint64_t hash = from; hash < from + 1000; ++hash) distinct.add(hash << 32);  // 0, too
  };
  harness::Child other([&] { return add(500), 0; });
  add(0);
  other.wait(60);
  EXPECT_EQ(distinct.count(), 1500u);
  EXPECT_FALSE(distinct.full());
}

TEST(Distinct, SaysWhenItIsFull) {
  Distinct distinct;
  for (uint64_t i = 0; i < Distinct::kMost + 10; ++i) distinct.add(i * 0x9e3779b97f4a7c15u);
  EXPECT_EQ(distinct.count(), Distinct::kMost);
  EXPECT_TRUE(distinct.full());
}

/// Last here, since its threads are parked for ever. In executions in which both calls are on before thread 1 was fenced at all: the caller that fenced it first.
std::set<ThreadId> first_to_fence(Run& run, const engine::Test& test) {
  std::set<ThreadId> first;
  Recording recording;
  run.record_to(&recording);
  for (Settings settings; settings.seed < 300; ++settings.seed) {
    run.execute(test, settings);
    unsigned on = 0;
    for (const Event& event : recording.events) {
      on += event.step.kind == Kind::kMembarrier;
      if (event.step.kind != Kind::kFenced || event.agent != kFenceOf + 1) continue;
      if (on == 2) first.insert(static_cast<ThreadId>(event.read));
      break;
    }
  }
  run.record_to(nullptr);
  return first;
}

TEST(Run, OfTwoMembarriersThatAreOnEitherMayFenceATargetFirst) {
  engine::Test test;
  test.thread([] { env::sleep_ns(1000), env::sleep_ns(1000); }).thread(env::membarrier).thread(env::membarrier);
  short_plan();
  engine::Run run;
  EXPECT_EQ(first_to_fence(run, test), (std::set<ThreadId>{2, 3}));
}

}  // namespace
}  // namespace engine
