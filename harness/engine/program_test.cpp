#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "harness/supervise/child.hpp"
#include "harness/supervise/command.hpp"
#include "harness/supervise/unique_fd.hpp"

namespace {

using nlohmann::json;

/// The same cases as another compiler made them, if ENGINE_CASES names a program.
const char* cases() {
  const char* const other = std::getenv("ENGINE_CASES");
  return other ? other : ENGINE_CASES;
}

harness::Said engine(std::vector<std::string> words, const char* program = cases()) {
  words.insert(words.begin(), program);
  return harness::run_bounded(words, 240, 16 << 20);
}

json run(const std::string& test, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"run", test, "--seed", "1", "--json"};
  words.insert(words.end(), more.begin(), more.end());
  for (const auto& [option, value] : {std::pair{"--executions", "3000"}, {"--on-x86", "0"}})
    if (std::find(more.begin(), more.end(), option) == more.end()) words.insert(words.end(), {option, value});
  const harness::Said said = engine(words);
  const json all = json::parse(said.output, nullptr, false);
  if (all.is_discarded()) return {{"verdict", said.output}, {"story", json::array()}, {"what", said.output}};
  return all["tests"][0];
}

std::vector<std::string> tests() {
  std::vector<std::string> names;
  for (const auto& one : json::parse(engine({"list", "--json"}).output)) names.push_back(one["name"]);
  return names;
}

TEST(Program, FindsWhatIsWrongAndNothingElse) {
  const auto all = tests();
  EXPECT_GT(all.size(), 20u);
  for (const std::string& name : all) {
    if (name.starts_with("broken_")) continue;
    const json report = run(name);
    EXPECT_EQ(report["verdict"], name.starts_with("wrong_") ? "FAILURE" : "SUCCESS") << report.dump(1);
  }
}

TEST(Program, ReplaysATokenToTheSameHashInAnotherProcess) {
  for (const char* name : {"wrong_lock_order", "wrong_use_after_free", "wrong_membarrier_in_one_instant", "wrong_wake_before_store",
                           "wrong_garbage"}) {
    const json report = run(name);
    const harness::Said again = engine({"replay", report["token"], "--json"});
    EXPECT_EQ(again.exit_code, 1);
    EXPECT_EQ(json::parse(again.output)["hash"], report["hash"]) << name;
  }
}

TEST(Program, DoesTheSameTwice) {
  for (const std::string& name : tests()) {
    if (name.starts_with("broken_")) continue;
    EXPECT_NE(run(name, {"--twice"})["verdict"], "BROKEN") << name;
  }
}

TEST(Program, EachStrategyComesToAnEnd) {
  for (const char* strategy : {"random", "pos", "pct1", "pct3"})
    for (const std::string& name : tests()) {
      if (name.starts_with("broken_") || name.starts_with("wrong_")) continue;
      const json report = run(name, {"--strategy", strategy, "--executions", "200"});
      EXPECT_EQ(report["verdict"], "SUCCESS") << strategy << " " << report.dump(1);
    }
}

TEST(Program, StoriesAreShort) {
  for (const std::string& name : tests()) {
    if (name.starts_with("broken_")) continue;
    const json report = run(name);
    EXPECT_LE(report["story"].size(), 30u) << name;
    EXPECT_LE(report["shrunk_steps"], report["steps"]) << name;
  }
}

TEST(Program, SaysWhatX86CanShow) {
  const json buffered = run("wrong_no_membarrier", {"--on-x86", "1000"})["x86"];
  EXPECT_EQ(buffered["verdict"], "FAILURE") << buffered;
  EXPECT_EQ(engine({"replay", buffered["token"], "--json"}).exit_code, 1) << "its token is one of x86's memory";
  EXPECT_FALSE(run("wrong_no_membarrier").contains("x86")) << "nobody asked";
  EXPECT_FALSE(run("wrong_no_membarrier", {"--on-x86", "1000", "--model", "tso"}).contains("x86"));
}

TEST(Program, SaysWhereItWas) {
  EXPECT_NE(run("wrong_use_after_free")["what"].get<std::string>().find("cases.cpp:"), std::string::npos);
}

TEST(Program, TellsWhoWaitsForWhichLockAndWhoHoldsIt) {
  EXPECT_THAT(run("wrong_spin_lock_again")["what"].get<std::string>(), testing::HasSubstr("T1 waits for left, which it holds itself"));
  const json report = run("wrong_spin_locks_crosswise");
  EXPECT_THAT(report["what"].get<std::string>(),
              testing::HasSubstr("T1 (lefthander) waits for the right lock, held by T2; T2 waits for the left lock, held by T1 (lefthander)"));
  EXPECT_LE(report["story"].size(), 4u);
  EXPECT_THAT(report["story"].dump(), testing::HasSubstr("takes the left lock"));
}

TEST(Program, CountsHowManyExecutionsDiffered) {
  EXPECT_EQ(run("spin_lock_of_one", {"--executions", "50"})["distinct"], 1);
  const json report = run("spin_lock", {"--executions", "50"});
  EXPECT_GT(report["distinct"], 10);
  EXPECT_LE(report["distinct"], 50);
}

TEST(Program, RefusesTokensOfOtherBuildsAndUnknownTests) {
  const std::string token = run("wrong_null")["token"];
  const harness::Said other = engine({"replay", token}, ENGINE_OTHER);
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.output.find("only the same binary"), std::string::npos);
  EXPECT_EQ(engine({"run", "wrong_nul"}).exit_code, 2);
  EXPECT_NE(engine({"run", "wrong_nul"}).output.find("wrong_null"), std::string::npos);
}

TEST(Program, SaysIntoWhichLibrariesItDoesNotSee) {
  EXPECT_THAT(engine({"run", "--executions", "10"}, ENGINE_UNSEEN).output,
              testing::ContainsRegex("not seen: what libengine_unseen_library.so does to .*, by (put_aside\\(int\\), take_again|take_again\\(\\), put_aside)"));
  EXPECT_THAT(engine({"run", "wrong_null"}).output, testing::Not(testing::HasSubstr("not seen")));
}

TEST(Program, NamesTheCallThatWouldBlockForEver) {
  const harness::Said said = engine({"run", "broken_blocks_by_itself"});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.output, testing::ContainsRegex("broken_blocks_by_itself at cases.cpp:[0-9]+: a controlled thread must not block by itself: poll; replay e[0-9]+:"));
}

TEST(Program, NamesEachCallThatItRefuses) {
  const std::string kPrefix = "broken_call_";
  for (const std::string& name : tests()) {
    if (!name.starts_with(kPrefix)) continue;
    const harness::Said said = engine({"run", name, "--executions", "1"});
    EXPECT_EQ(said.exit_code, 3) << name;
    EXPECT_THAT(said.output, testing::ContainsRegex(name + " at refused_cases.cpp:[0-9]+: .*: " + name.substr(kPrefix.size()) + "; replay e[0-9]+:"));
  }
}

std::string token_in(const std::string& said) {
  std::smatch found;
  return std::regex_search(said, found, std::regex("replay (e\\d+:\\S+)")) ? found[1].str() : "";
}

TEST(Program, ComesBackToWhatItRefused) {
  const harness::Said said = engine({"run", "broken_call_tss_create"});
  const harness::Said again = engine({"replay", token_in(said.output)});
  EXPECT_EQ(again.exit_code, 3);
  EXPECT_THAT(again.output, testing::HasSubstr("cannot have what this call gives: tss_create"));
}

TEST(Program, NamesALoopThatNeverComesToAStep) {
  const harness::Said said = engine({"run", "broken_loop", "--silence", "1"});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.output, testing::ContainsRegex("broken_loop at refused_cases.cpp:[0-9]+: the code under test goes on for ever.*; replay e[0-9]+:"));
}

TEST(Program, SaysWhichThreadWasLeft) {
  const harness::Said said = engine({"run", "broken_thread_left"});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.output, testing::ContainsRegex("broken_thread_left at object_cases.cpp:[0-9]+: a thread that was started here was neither joined nor"));
}

TEST(Program, ARunOfAllWantsThoseToFailThatMust) {
  const harness::Said all = engine({"run", "--seed", "1", "--executions", "500"}, ENGINE_ABI);
  EXPECT_EQ(all.exit_code, 0) << all.output;
  EXPECT_THAT(all.output, testing::ContainsRegex("\nwrong_write4: FAILURE in execution [0-9]+, as it must: a data race"));
  EXPECT_THAT(all.output, testing::HasSubstr(" tests, each did as it must\n"));
  EXPECT_EQ(engine({"run", "wrong_write4", "--seed", "1", "--executions", "500"}, ENGINE_ABI).exit_code, 1) << "by name it is one like others";
}

TEST(Program, ARunOfAllSaysWhichTestDidNotFailThatMust) {
  const harness::Said all = engine({"run", "--seed", "1", "--executions", "1", "--model", "x86"}, ENGINE_ABI);  // without races
  EXPECT_EQ(all.exit_code, 1);
  EXPECT_THAT(all.output, testing::ContainsRegex(": 1 executions, none failed though this test must"));
  EXPECT_THAT(all.output, testing::ContainsRegex(" tests, amiss: wrong_"));
}

TEST(Program, JsonSaysWhichTestsMustFail) {
  EXPECT_EQ(run("wrong_null")["must_fail"], true);
  EXPECT_EQ(run("mutex_excludes")["must_fail"], false);
}

TEST(Program, AProgramMayHaveFaultsOfItsOwn) {
  EXPECT_THAT(engine({"run", "--help"}, ENGINE_ABI).output, testing::ContainsRegex("=wake,eintr[ \n]"));
  EXPECT_THAT(engine({"run", "--help"}).output, testing::ContainsRegex("=wake,eintr,early,migrate,handler[ \n]"));
}

TEST(Program, SaysThatThereAreTooManyThreads) {
  const harness::Said said = engine({"run", "broken_too_many_threads", "--faults", "none"});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.output, testing::HasSubstr("more than 64 threads in an execution: pthread_create; replay"));
}

TEST(Program, AFailureCountsMoreThanAJobThatBroke) {
  const harness::Said said = engine({"run", "broken_or_wrong", "--jobs", "4", "--executions", "40", "--seed", "1", "--faults", "none"});
  EXPECT_EQ(said.exit_code, 1) << said.output;
  EXPECT_NE(said.output.find("must not block by itself"), std::string::npos) << "no job broke: another seed is wanted";
  EXPECT_NE(said.output.find("FAILURE in execution"), std::string::npos);
}

/// As in a container whose filter refuses personality(): for this process and all that it starts.
void refuse_personality() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/// 0 if each hash was the same again, and it was told that it need not be.
int replay_where_addresses_are_randomised() {
  refuse_personality();
  for (const char* name : {"wrong_use_after_free", "wrong_pointers"}) {
    const json all = json::parse(engine({"run", name, "--seed", "1", "--json"}).output);
    const json report = all["tests"][0];
    const json again = json::parse(engine({"replay", report["token"], "--json"}).output);
    if (again["hash"] != report["hash"]) return 1;
    if (!all["addresses_randomised"].get<bool>()) return 2;
  }
  return 0;
}

TEST(Program, ReplaysWhereAddressesAreRandomised) {
  EXPECT_EXIT(_exit(replay_where_addresses_are_randomised()), testing::ExitedWithCode(0), "");
}

TEST(Program, AFailureThatDoesNotRepeatIsNoFinding) {
  const harness::Said said = engine({"run", "broken_once", "--seed", "1"});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_NE(said.output.find("BROKEN: a failure that does not repeat: the fifth execution"), std::string::npos) << said.output;
}

TEST(Program, SaysHowAJobEnded) {
  EXPECT_NE(engine({"run", "broken_blocks_by_itself"}).output.find("a job ended without a report: exited with 3"), std::string::npos);
}

/// Each is one number in a file of proc.
long count_children(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", pid));
  return std::distance(std::istream_iterator<pid_t>(file), {});
}

TEST(Program, JobsEndWithItHoweverItEnds) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  harness::UniqueFd from(ends[0]), to(ends[1]);  // whoever lives has the other end
  harness::Child program([&] {
    from.reset();
    execl(ENGINE_CASES, ENGINE_CASES, "run", "mutex_excludes", "--jobs", "2", "--duration", "1h", nullptr);
    return 127;
  });
  to.reset();
  pollfd end{from.get(), POLLIN, 0};
  for (int tries = 0; count_children(program.pid()) < 2 && tries < 3000; ++tries) poll(&end, 1, 10);
  ASSERT_EQ(count_children(program.pid()), 2);
  EXPECT_EQ(end.revents, 0);
  program.kill();
  EXPECT_EQ(poll(&end, 1, 60'000), 1) << "a job lives on";
}

TEST(Program, HandlersCanBePlacedAtEachStep) {
  EXPECT_EQ(run("wrong_handler_in_an_addition", {"--each-handler"})["verdict"], "FAILURE");
  EXPECT_EQ(run("wrong_handler_in_an_addition", {"--faults", "none"})["verdict"], "SUCCESS");
}

TEST(Program, SharesTheWorkAmongJobs) {
  const json report = run("mutex_excludes", {"--jobs", "3"});
  EXPECT_EQ(report["executions"], 3000);
}

TEST(Program, JobsStopAtTheFirstFailureWhicheverFoundIt) {
  const json alone = run("wrong_garbage", {"--strategy", "pos", "--executions", "3000000"});
  EXPECT_EQ(alone["verdict"], "FAILURE");
  const json first = run("wrong_garbage", {"--jobs", "3", "--executions", "100000000"}), second = run("wrong_garbage", {"--jobs", "3", "--executions", "100000000"});
  EXPECT_EQ(first["token"], second["token"]);
  EXPECT_EQ(first["executions"], second["executions"]);
}

TEST(Program, TellsAtOnceWhoWaitsForWhichMutex) {
  EXPECT_THAT(run("wrong_mutexes_crosswise")["what"].get<std::string>(),
              testing::HasSubstr("T1 waits for right_mutex, held by T2; T2 waits for left_mutex, held by T1"));
  EXPECT_THAT(run("wrong_locks_of_two_kinds_crosswise")["what"].get<std::string>(),
              testing::HasSubstr("T1 waits for left_mutex, held by T2; T2 waits for read_write_lock, held by T1"));
}

TEST(Program, SaysWhichHeldLockIsDestroyed) {
  EXPECT_THAT(run("wrong_mutex_destroyed")["what"].get<std::string>(), testing::HasSubstr("a mutex that somebody holds is destroyed, lock_cases.cpp:"));
  EXPECT_THAT(run("wrong_rwlock_destroyed")["what"].get<std::string>(), testing::HasSubstr("a read-write lock that somebody holds is destroyed, lock_cases.cpp:"));
}

TEST(Program, ShortensWhatTakesTwoHandlers) {
  const json report = run("wrong_second_handler");
  EXPECT_EQ(report["verdict"], "FAILURE");
  EXPECT_LT(report["shrunk_steps"], report["steps"]);
}

TEST(Program, AReplayThatComesToSomethingElseIsBroken) {
  std::string token = run("wrong_null")["token"];
  token.back() = token.back() == '0' ? '1' : '0';  // the hash is its last part
  const harness::Said said = engine({"replay", token});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.output, testing::HasSubstr("BROKEN: this did not come to what the token's did"));
  EXPECT_EQ(std::count(said.output.begin(), said.output.end(), '\n'), 1) << said.output;
}

}  // namespace
