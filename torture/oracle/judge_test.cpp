#include "torture/oracle/judge.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "harness/base/errors.hpp"
#include "torture/oracle/recorded.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;

class Judge : public testing::Test {
 protected:
  Judge() {
    std::string pattern = testing::TempDir() + "judgeXXXXXX";
    dir_ = mkdtemp(pattern.data());
  }
  ~Judge() override { fs::remove_all(dir_); }
  void write(const std::string& file, const std::string& text) {
    fs::create_directories((dir_ / file).parent_path());
    std::ofstream(dir_ / file, std::ios::app) << text;
  }
  void event(const std::string& fields) {
    write("S/events.jsonl", "{\"t_s\":1.5,\"event\":" + fields + "}\n");
  }
  void start() { event(R"("start","scenario":"S","flavor":"f","seed":"0x1","least":{"grace_periods":10})"); }
  void end(const std::string& fields = "", int gps = 100) {
    event(R"("end","torture_s":3600,"counts":{"grace_periods":)" + std::to_string(gps) + "}" + fields);
  }
  void exited(const std::string& how = R"("exit_code":0,"words":"exited with 0")") {
    event(R"("child_ended",)" + how);
  }
  Judgement judged() { return judge_scenario(dir_ / "S"); }
  fs::path dir_;
};

TEST_F(Judge, Success) {
  start();
  event(R"("canary","flavor":"busted_x","result":"caught")");
  end();
  exited();
  const Judgement j = judged();
  EXPECT_EQ(j.verdict, Verdict::kSuccess);
  EXPECT_EQ(j.json()["bound_per_hour_95"], 3.0);
  EXPECT_EQ(j.json()["signature"], nullptr);
  EXPECT_EQ(j.canary, "caught");
}

TEST_F(Judge, FailuresStandInCausalOrder) {
  start();
  event(R"("failure","check":"memory_order","message":"m","evidence":"e")");
  event(R"("failure","check":"too_short_gp","message":"t","evidence":"e")");
  end(R"(,"failures":{"too_short_gp":7})");
  exited();
  const Judgement j = judged();
  EXPECT_EQ(j.verdict, Verdict::kFailure);
  ASSERT_EQ(j.failures.size(), 2U);
  EXPECT_EQ(j.failures[0].check, "too_short_gp");
  EXPECT_EQ(j.failures[0].count, 7U);
}

// As the kernel's prover, which says no more after the first: a lock that must not be taken here has no order.
TEST_F(Judge, AWrongWaitContextComesBeforeTheCycle) {
  start();
  event(R"("failure","check":"lock_cycle","message":"m","evidence":"e")");
  event(R"("failure","check":"wait_context","message":"w","evidence":"e")");
  end(R"(,"failures":{"lock_cycle":1,"wait_context":1})");
  exited();
  EXPECT_EQ(judged().failures.at(0).check, "wait_context");
}

TEST_F(Judge, EveryCheckHasItsVerdict) {
  const std::pair<const char*, Verdict> cases[] = {{"stalled_gp", Verdict::kHang},
                                                   {"no_forward_progress", Verdict::kHang},
                                                   {"use_after_free", Verdict::kCrash},
                                                   {"lock_cycle", Verdict::kDeadlock},
                                                   {"lost_callback", Verdict::kFailure}};
  for (const auto& [check, verdict] : cases) EXPECT_EQ(verdict_of_check(check), verdict) << check;
}

TEST_F(Judge, CutShortIsInterrupted) {
  EXPECT_EQ(judged().verdict, Verdict::kInterrupted);  // not even a directory
  start();
  write("S/events.jsonl", "{\"t_s\":2,\"event\":\"chi");
  write("S/stats.jsonl", "{\"t_s\":2,\"reads\":77,\"gps\":3}\n{\"t_s\":3,\"rea");
  EXPECT_EQ(judged().verdict, Verdict::kInterrupted);
  EXPECT_EQ(judged().counts["reads"], 77);
}

TEST_F(Judge, ForeignKillIsACrashAndOurOwnIsNot) {
  start();
  exited(R"("signal":"SIGKILL","foreign":true,"words":"ended by SIGKILL from outside")");
  EXPECT_EQ(judged().verdict, Verdict::kCrash);
  EXPECT_EQ(judged().signature, "crash:SIGKILL");
  fs::remove(dir_ / "S/events.jsonl");
  start();
  event(R"("failure","check":"stalled_gp","message":"m","evidence":"e")");
  exited(R"("signal":"SIGKILL","by_supervisor":true,"words":"ended by SIGKILL")");
  EXPECT_EQ(judged().verdict, Verdict::kHang);
}

TEST_F(Judge, VacuousIsInconclusive) {
  start();
  end("", 9);
  exited();
  EXPECT_EQ(judged().verdict, Verdict::kInconclusive);
  EXPECT_EQ(judged().why, "only 9 grace periods, the scenario asks for 10");
}

TEST_F(Judge, InjectorThatNeverFiredIsInconclusive) {
  start();
  event(R"("torture","injectors":["signals"])");
  end(R"(,"injectors":{"signals":0})");
  exited();
  EXPECT_EQ(judged().verdict, Verdict::kInconclusive);
}

TEST_F(Judge, BrokenSkippedStoppedMissedCanary) {
  start();
  event(R"("broken","message":"disk full")");
  exited(R"("exit_code":3,"words":"exited with 3")");
  EXPECT_EQ(judged().verdict, Verdict::kBroken);
  fs::remove(dir_ / "S/events.jsonl");
  start();
  event(R"("skipped","reason":"no call")");
  EXPECT_EQ(judged().verdict, Verdict::kSkipped);
  fs::remove(dir_ / "S/events.jsonl");
  start();
  end();
  event(R"("stopped","signal":"SIGINT")");
  exited();
  EXPECT_EQ(judged().verdict, Verdict::kInterrupted);
  fs::remove(dir_ / "S/events.jsonl");
  start();
  event(R"("canary","flavor":"busted_x","result":"missed")");
  exited();
  EXPECT_EQ(judged().verdict, Verdict::kBroken);
}

TEST_F(Judge, NonZeroExitAfterTheEndIsBroken) {
  start();
  end();
  exited(R"("exit_code":3,"words":"exited with 3")");
  EXPECT_EQ(judged().verdict, Verdict::kBroken);
  EXPECT_EQ(judged().why,
            "the tortured process exited with 3 after its end, which leaves its last words in doubt");
  event(R"("stopped","signal":"SIGTERM")");
  EXPECT_EQ(judged().verdict, Verdict::kBroken) << "a stop asks for an end, not for this one";
  event(R"("failure","check":"lost_callback","message":"m","evidence":"e")");
  EXPECT_EQ(judged().verdict, Verdict::kFailure) << "what was seen before is worse";
}

TEST_F(Judge, StopDuringTheCanaryIsInterruptedAndOneAfterItWasMissedIsNot) {
  start();
  event(R"("stopped","signal":"SIGTERM")");
  event(R"("canary","flavor":"busted_x","result":"missed")");
  EXPECT_EQ(judged().verdict, Verdict::kInterrupted);
  EXPECT_EQ(judged().why, "stopped by SIGTERM");
  EXPECT_EQ(judged().canary, "none") << "it was given no time to be caught";
  fs::remove(dir_ / "S/events.jsonl");
  start();
  event(R"("canary","flavor":"busted_x","result":"missed")");
  event(R"("stopped","signal":"SIGTERM")");
  end();
  exited();
  EXPECT_EQ(judged().verdict, Verdict::kBroken);
}

TEST_F(Judge, WhatWasNotStartedIsInterruptedAndSaysSo) {
  EXPECT_EQ(judged().verdict, Verdict::kInterrupted);
  EXPECT_EQ(judged().why, "it was not started before the run ended");
}

TEST_F(Judge, CanaryThatAnotherCheckSawIsMissed) {
  start();
  event(R"("canary","flavor":"busted_x","result":"missed","trips":"too_short_gp","instead":"stalled_gp")");
  end();
  exited();
  EXPECT_EQ(judged().verdict, Verdict::kBroken);
  EXPECT_EQ(judged().why,
            "the canary busted_x was not caught by too_short_gp but by stalled_gp: this run could not have "
            "seen a failure");
}

TEST_F(Judge, NearMissesAreJudgedByRateUnlessExact) {
  start();
  end(R"(,"batch":[5,5,1])");
  exited();
  EXPECT_EQ(judged().verdict, Verdict::kSuccess);
  fs::remove(dir_ / "S/events.jsonl");
  event(R"("start","scenario":"S","gp_seq_exact":true)");
  end(R"(,"batch":[5,5,1])");
  exited();
  EXPECT_EQ(judged().failures.at(0).check, "too_short_gp");
  event(R"("failure","check":"too_short_gp","message":"m","evidence":"seen by reader 0")");
  ASSERT_EQ(judged().failures.size(), 1U) << "what the torture noted itself is not said twice";
  EXPECT_EQ(judged().failures[0].evidence, "seen by reader 0");
}

TEST_F(Judge, RunHasTheWorstAndForeignDirectoriesAreRefused) {
  EXPECT_THROW(judge_run(dir_ / "none"), harness::UsageError);
  EXPECT_THROW(judge_run(dir_), harness::UsageError);
  write("plan.json", "[]");
  EXPECT_THROW(judge_run(dir_), harness::UsageError);
  fs::remove(dir_ / "plan.json");
  write("plan.json", R"({"scenarios":[{"dir":"S"}]})");
  EXPECT_THROW(judge_run(dir_), harness::UsageError) << "another program's";
  fs::remove(dir_ / "plan.json");
  write("plan.json", R"({"schema":1,"seed":"0xabc","scenarios":[{"dir":"S"},{"dir":"T"}]})");
  start();
  end();
  exited();
  write("S/verdict.json", R"({"verdict":"SUCCESS"})");
  const RunJudgement run = judge_run(dir_);
  EXPECT_EQ(run.whole.verdict, Verdict::kInterrupted);
  EXPECT_EQ(run.json()["scenarios"][0]["verdict"], "SUCCESS");
  EXPECT_EQ(run.json()["seed"], "0xabc") << "not that of its first scenario";
  EXPECT_EQ(run.exit_status(), 4);
}

TEST_F(Judge, OnlyDirectoriesInTheRunDirectoryAreScenarios) {
  start();
  end();
  exited();
  write("plan.json", R"({"schema":1,"scenarios":[{"dir":"."},{"dir":".."},{"dir":"../x"},{"dir":""},{"dir":"S"}]})");
  const RunJudgement run = judge_run(dir_);
  ASSERT_EQ(run.scenarios.size(), 1U);
  EXPECT_EQ(run.scenarios[0].first, "S");
}

TEST_F(Judge, ScenarioWithoutAVerdictWasCutShort) {
  write("plan.json", R"({"schema":1,"scenarios":[{"dir":"S"}]})");
  start();
  end();
  exited();
  EXPECT_EQ(judge_run(dir_).whole.verdict, Verdict::kInterrupted);
  EXPECT_EQ(judge_run(dir_).whole.why, "it was cut short, or still runs: no verdict.json");
  event(R"("failure","check":"too_short_gp","message":"m","evidence":"e")");
  EXPECT_EQ(judge_run(dir_).whole.verdict, Verdict::kFailure) << "what was seen was seen";
  EXPECT_EQ(judge_run(dir_).whole.why, "too_short_gp: m; it was cut short, or still runs: no verdict.json");
}

TEST_F(Judge, WorseVerdictThatWasRecordedStands) {
  start();
  end();
  exited();
  Judgement j = judged();
  EXPECT_EQ(heed_recorded(j, dir_), "it was cut short, or still runs: no verdict.json");
  EXPECT_EQ(j.verdict, Verdict::kInterrupted);
  write("verdict.json", R"({"verdict":"BROKEN","why":"no room"})");
  EXPECT_EQ(heed_recorded(j, dir_), "its verdict.json says BROKEN: no room");
  EXPECT_EQ(j.verdict, Verdict::kBroken);
  EXPECT_EQ(j.why, "no room");
  j.verdict = Verdict::kCrash;
  EXPECT_EQ(heed_recorded(j, dir_), "");
  EXPECT_EQ(j.verdict, Verdict::kCrash);
}

TEST_F(Judge, StopThatIsNotObeyedIsInterrupted) {
  start();
  event(R"("stopped","signal":"SIGINT")");
  exited(R"("signal":"SIGKILL","by_supervisor":true,"words":"ended by SIGKILL")");
  EXPECT_EQ(judged().verdict, Verdict::kInterrupted);
  EXPECT_NE(judged().why.find("did not obey"), std::string::npos);
}

TEST_F(Judge, WhatWasCutShortIsJudgedByItsSamples) {
  event(R"("start","scenario":"S","fail_on_latency_ns":1000,"gp_seq_exact":true)");
  write("S/stats.jsonl", R"({"t_s":1,"reads":7,"pending_bytes":900,"pending_bytes_max":900,"gp_max_ns":5000,"batch":[1,1],)"
                         R"("injectors":{"signals":3},"gp_latency_ns":{"p50":10,"max":5000,"count":9}})" "\n");
  EXPECT_EQ(judged().failures.at(0).check, "no_forward_progress") << "slower than --fail-on allows";
  EXPECT_EQ(judged().injectors["signals"], 3);
  EXPECT_EQ(judged().latency["p50"], 10);
  write("S/stats.jsonl", R"({"t_s":2,"reads":9,"pending_bytes":100,"pending_bytes_max":900,"gp_max_ns":10,"batch":[1,1,1]})" "\n");
  EXPECT_EQ(judged().counts["pending_bytes_max"], 900);
  EXPECT_EQ(judged().latency["max"], 5000) << "of all samples, where the last has no sum";
  EXPECT_EQ(judged().failures.at(0).check, "too_short_gp");
}

TEST_F(Judge, SignatureOfAHangIsThatOfTheThreadThatTheMessageNames) {
  write("S/stacks.txt",
        "Thread 2 \"updater/0\":\n#0  0x7f in busy_elsewhere (d=0x1) at ../../scheme/b.cpp:3\n"
        "#1  0x55 in torture::Updater::run (this=0x1) at ../../torture/threads/updater.cpp:9\n\n"
        "Thread 3 \"barrier/0\":\n#0  0x7f in pause () at ../sysdeps/unix/sysv/linux/pause.c:29\n"
        "#1  0x55 in stuck_barrier<std::less<int> >(int) (d=0x1) at ../../scheme/b.cpp:7\n"
        "#2  0x55 in torture::BarrierTorture::run_barrier (this=0x1) at "
        "../../torture/threads/barrier_torture.cpp:9\n");
  start();
  event(R"("failure","check":"no_forward_progress","message":"a barrier does not return","evidence":"e")");
  exited(R"("exit_code":0,"words":"w")");
  EXPECT_EQ(judged().signature, "no_forward_progress:stuck_barrier<torture::BarrierTorture::run_barrier");
}

TEST_F(Judge, SignatureNamesTheInnermostFrames) {
  write("S/stacks.txt",
        "Thread 2 \"updater/0\":\n#0  0x7f in syscall () from /lib/libc.so.6\n#1  0x55 in stuck_wait (d=0x1) "
        "at b.cpp:3\n"
        "#2  0x55 in torture::Updater::run (this=0x1) at updater.cpp:9\n");
  start();
  event(R"("failure","check":"stalled_gp","message":"m","evidence":"e")");
  exited(R"("signal":"SIGKILL","by_supervisor":true,"words":"w")");
  EXPECT_EQ(judged().signature, "stalled_gp:stuck_wait<torture::Updater::run");
}

}  // namespace
}  // namespace torture
