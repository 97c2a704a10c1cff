#include "harness/engine/program.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/personality.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/duration.hpp"
#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "harness/base/say.hpp"
#include "harness/engine/campaign.hpp"
#include "harness/engine/crash.hpp"
#include "harness/engine/orders.hpp"
#include "harness/engine/renew.hpp"
#include "harness/engine/test.hpp"
#include "harness/engine/token.hpp"
#include "harness/engine/unseen.hpp"

namespace engine {
namespace {

using harness::say;

constexpr const char* kFooter =
    "\nWhat it cannot see: values from the future (load buffering) and modification orders, and orders of all seq_cst operations,\n"
    "other than the order of execution (2+2W, S, Z6+sc); more than eight old values in a row from one place;\n"
    "dependencies (an address read relaxed orders nothing; consume counts as acquire); missing compiler barriers; inline assembly.\n"
    "A clean run of N executions proves nothing beyond those N; exit 0: none failed, 1: one did, 2: usage, 3: the engine is broken, 4: nothing ran.\n"
    "Where no tests are named, those whose names begin with wrong_ must fail: exit 0: each test did as it must, 1: one did not.";

struct Words {
  std::vector<std::string> tests;
  std::string duration, seed, strategy = "mix", model = "cpp", faults, token, drop_order;
  uint64_t executions = 100'000, on_x86 = 20'000;
  unsigned jobs = 1;
  uint32_t step_limit = Settings{}.step_limit;
  unsigned silence = kMostSilent;
  bool twice = false, each_handler = false, json = false, in_full = false;
};

bool randomised() {
  const int now = personality(0xffffffff);
  return now == -1 || (now & ADDR_NO_RANDOMIZE) == 0;
}

/// Addresses show in values, so they have to be the same each time. Some containers forbid it; what the engine itself places, and
/// hashes, is the same all the same.
void without_randomised_addresses(char** argv) {
  const int now = personality(0xffffffff);
  if (now == -1 || !randomised()) return;
  if (personality(static_cast<unsigned>(now) | ADDR_NO_RANDOMIZE) == -1) return;
  if (!randomised()) execv("/proc/self/exe", argv);
}

std::vector<const Test*> chosen(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const Test& test : all_tests()) known.emplace_back(test.name);
  std::vector<const Test*> tests;
  for (const std::string& name : names) {
    const auto at = std::find(known.begin(), known.end(), name);
    if (at == known.end())
      throw harness::UsageError(fmt::format("no test '{}'{} (see: list)", name, harness::did_you_mean(name, known)));
    tests.push_back(&all_tests()[static_cast<size_t>(at - known.begin())]);
  }
  if (names.empty())
    for (const Test& test : all_tests()) tests.push_back(&test);
  return tests;
}

uint64_t seed_of(const std::string& word) {
  if (word.empty()) return harness::fresh_seed();
  size_t end = 0;
  uint64_t seed = 0;
  try {
    seed = std::stoull(word, &end, 0);
  } catch (const std::exception&) {
  }
  if (end == 0 || end != word.size()) throw harness::UsageError(fmt::format("--seed takes a number, not '{}'", word));
  return seed;
}

uint32_t faults_of(const std::string& word) {
  constexpr std::pair<const char*, uint32_t> kNames[] = {
      {"none", 0}, {"wake", kSpuriousWake}, {"eintr", kInterrupted}, {"early", kEarlyTimeout}, {"no-membarrier", kNoMembarrier},
      {"no-memory", kNoMemory}, {"migrate", kMigrations}, {"handler", kHandlers}, {"all", ~0u}};
  uint32_t bits = 0;
  std::istringstream words(word);
  for (std::string one; std::getline(words, one, ',');) {
    const auto* at = std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& it) { return one == it.first; });
    if (at == std::end(kNames))
      throw harness::UsageError(fmt::format("--faults takes none all wake eintr early no-membarrier no-memory migrate handler, not '{}'", one));
    bits |= at->second;
  }
  return bits;
}

Plan plan_of(const Words& words) {
  Plan plan;
  plan.executions = words.executions;
  if (!words.duration.empty()) plan.seconds = harness::parse_duration_s(words.duration);
  plan.jobs = words.jobs;
  plan.each_twice = words.twice;
  plan.each_handler = words.each_handler;
  plan.mix = words.strategy == "mix";
  if (words.strategy == "random") plan.settings.strategy = Strategy::kRandom;
  if (words.strategy.starts_with("pct")) {
    plan.settings.strategy = Strategy::kPct;
    plan.settings.depth = static_cast<unsigned>(words.strategy[3] - '0');
  }
  plan.settings.model = model_of(words.model);
  plan.settings.faults = faults_of(words.faults.empty() ? default_faults() : words.faults);
  plan.settings.step_limit = words.step_limit;
  plan.settings.seed = seed_of(words.seed);
  if (!words.drop_order.empty()) plan.settings.dropped = known_order(words.drop_order);
  return plan;
}

/// Of the same test on x86's memory, without C++'s races: can such a machine show that something is wrong?
Report look_on_x86(const Test& test, Plan plan, uint64_t executions) {
  plan.settings.model = Model::kX86;
  plan.executions = executions;
  plan.seconds = 0;
  return run_campaign(test, plan);
}

std::string told_of_x86(const Report& it) {
  if (it.broken) return fmt::format("whether x86 shows it is not known: {}", it.what);
  if (it.failed) return fmt::format("x86 shows it, too: execution {}: {}\n  replay {}", it.executions, it.what, it.token);
  return fmt::format("x86 did not show it in {} executions: it needs a weaker machine or compiler, or more luck", it.executions);
}

nlohmann::json json_of(const Test& test, const Report& it) {
  return {{"test", test.name}, {"must_fail", test.must_fail()}, {"verdict", it.broken ? "BROKEN" : it.failed ? "FAILURE" : "SUCCESS"}, {"executions", it.executions}, {"distinct", it.distinct},
          {"cpu_s", it.seconds}, {"what", it.what}, {"token", it.token}, {"steps", it.steps}, {"shrunk_steps", it.shrunk_steps},
          {"hash", fmt::format("{:016x}", it.hash)}, {"story", it.story}};
}

void print(const Test& test, const Report& it) {
  if (it.broken)
    say(stdout, "{}: BROKEN: {}\n", test.name, it.what);
  else if (it.failed)
    say(stdout, "{}: FAILURE in execution {}: {}\n  {}\n", test.name, it.executions, it.what, test.sentence);
  else
    say(stdout, "{}: {} executions, none failed{}, {}{} of them distinct, {:.1f} s of CPU time, hash {:016x}\n", test.name, it.executions,
        test.must_fail() ? " though this test must" : "", it.distinct_at_least ? "at least " : "", it.distinct, it.seconds, it.hash);
  if (it.failed) say(stdout, "  replay {}\n  shrunk from {} to {} steps:\n", it.token, it.steps, it.shrunk_steps);
  for (const std::string& line : it.story) say(stdout, "    {}\n", line);
  std::fflush(stdout);
}

/// Who names tests asks whether they fail; who runs all, whether each does as it must.
bool amiss(const Test& test, const Report& it, bool all) {
  const bool must_fail = all && test.must_fail();
  return it.failed ? !must_fail : must_fail && !it.broken && it.executions != 0;
}

struct Tested {
  const Test* test;
  Report report;
};

int status_of(const std::vector<Tested>& tested, bool all) {
  const auto any = [&](auto what) { return std::any_of(tested.begin(), tested.end(), what); };
  if (any([&](const Tested& it) { return amiss(*it.test, it.report, all); })) return 1;
  if (any([](const Tested& it) { return it.report.broken; })) return 3;
  return any([](const Tested& it) { return it.report.executions != 0; }) ? 0 : 4;
}

/// After a run of all: of many lines the last is read.
void sum_up(const std::vector<Tested>& tested) {
  std::string names;
  for (const auto& [test, report] : tested)
    if (amiss(*test, report, true) || report.broken) names += fmt::format("{} {}", names.empty() ? "" : ",", test->name);
  say(stdout, "{} test{}, {}{}\n", tested.size(), tested.size() == 1 ? "" : "s", names.empty() ? "each did as it must" : "amiss:", names);
}

int run_command(const Words& words) {
  Plan plan = plan_of(words);
  const auto tests = chosen(words.tests);
  if (plan.seconds > 0 && !tests.empty()) plan.seconds /= static_cast<double>(tests.size());
  if (!words.json) say(stdout, "build {}, seed {:#x}, {} {}\n", build_id(), plan.settings.seed, words.strategy, words.model);
  if (!words.json)
    for (const auto& [library, symbols] : unseen_libraries())
      say(stdout, "not seen: what {} does to memory that threads share, by {}\n", library, fmt::join(symbols, ", "));
  if (randomised() && !words.json)
    say(stdout, "addresses are randomised here: code that computes with addresses of its variables may do otherwise in a replay\n");
  const bool all = words.tests.empty();
  std::vector<Tested> tested;
  auto as_json = nlohmann::json::array();
  for (const Test* test : tests) {
    tested.push_back({test, run_campaign(*test, plan)});
    const Report& report = tested.back().report;
    const bool expected = all && test->must_fail() && report.failed;
    if (words.json)
      as_json.push_back(json_of(*test, report));
    else if (expected)
      say(stdout, "{}: FAILURE in execution {}, as it must: {}\n", test->name, report.executions, report.what);
    else
      print(*test, report);
    if (!report.failed || expected || plan.settings.model != Model::kCpp || words.on_x86 == 0) continue;
    const Report on_x86 = look_on_x86(*test, plan, words.on_x86);
    if (words.json)
      as_json.back()["x86"] = json_of(*test, on_x86);
    else
      say(stdout, "  {}\n", told_of_x86(on_x86));
  }
  if (words.json)
    say(stdout, "{}\n", nlohmann::json{{"build", build_id()}, {"seed", fmt::format("{:#x}", plan.settings.seed)}, {"addresses_randomised", randomised()}, {"tests", as_json}}.dump(2));
  else if (all)
    sum_up(tested);
  return status_of(tested, all);
}

int replay_command(const Words& words) {
  const Token token = from_text(words.token);
  const Test* const test = chosen({token.test}).front();
  const Report report = run_once(*test, token, words.in_full);
  if (words.json)
    say(stdout, "{}\n", json_of(*test, report).dump(2));
  else
    print(*test, report);
  return status_of({{test, report}}, false);
}

int list_command(bool json) {
  auto all = nlohmann::json::array();
  for (const Test& test : all_tests()) {
    if (json)
      all.push_back({{"name", test.name}, {"sentence", test.sentence}, {"must_fail", test.must_fail()}});
    else
      say(stdout, "{}\t{}\n", test.name, test.sentence);
  }
  if (json) say(stdout, "{}\n", all.dump(2));
  return 0;
}

int parse_and_dispatch(int argc, char** argv) {
  CLI::App app("Runs concurrent code one step at a time, in orders and with values drawn from a seed");
  app.require_subcommand(1);
  app.footer(kFooter);
  Words words;
  CLI::App* run = app.add_subcommand("run", "tests, or all");
  run->add_option("TEST", words.tests);
  auto* executions = run->add_option("--executions", words.executions, "of each test")->check(CLI::PositiveNumber);
  run->add_option("--duration", words.duration, "of the whole call: 90s 15m 8h; a bare number is minutes")->excludes(executions);
  run->add_option("--seed", words.seed, "same seed, same jobs: same executions");
  run->add_option("--strategy", words.strategy)->check(CLI::IsMember({"mix", "pos", "pct1", "pct2", "pct3", "pct4", "pct5", "random"}));
  run->add_option("--model", words.model, "cpp: C++20; tso: x86's memory, with the races of C++; x86: the same without: what such a machine can show")
      ->check(CLI::IsMember({"cpp", "tso", "x86"}));
  run->add_option("--on-x86", words.on_x86, "after a failure, executions in which to see whether x86 can show one, too; 0: none")
      ->capture_default_str();
  run->add_option("--jobs", words.jobs, "processes at a time")->check(CLI::Range(1, 256));
  run->add_option("--faults", words.faults, "none all, or of wake eintr early no-membarrier no-memory migrate handler")
      ->default_str(default_faults());
  run->add_option("--step-limit", words.step_limit, "of an execution: more is a livelock")->check(CLI::PositiveNumber);
  run->add_option("--silence", words.silence, "seconds of CPU time without a step: more is a loop that the engine does not see")
      ->check(CLI::PositiveNumber)->capture_default_str();
  run->add_option("--drop-order", words.drop_order, "the code under test does without the order of this label: a test must fail");
  run->add_flag("--twice", words.twice, "each execution twice: does the second do the same?");
  run->add_flag("--each-handler", words.each_handler, "signal handlers at each step by turns, not at random");
  run->add_flag("--json", words.json);
  CLI::App* replay = app.add_subcommand("replay", "one execution again");
  replay->add_option("TOKEN", words.token)->required();
  replay->add_flag("--full", words.in_full, "every step as it was, not the shortest that fails the same way");
  replay->add_flag("--json", words.json);
  CLI::App* list = app.add_subcommand("list", "the tests: name, TAB, what holds");
  list->add_flag("--json", words.json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    throw harness::UsageError(fmt::format("{} (see --help)", error.what()));
  }
  if (app.got_subcommand(list)) return list_command(words.json);
  keep_program();
  allow_silence(words.silence);
  return app.got_subcommand(run) ? run_command(words) : replay_command(words);
}

}  // namespace

__attribute__((weak)) const char* default_faults() { return "wake,eintr,early,migrate,handler"; }

int program(int argc, char** argv) {
  without_randomised_addresses(argv);
  harness::open_standard_files();
  try {
    return parse_and_dispatch(argc, argv);
  } catch (const harness::UsageError& error) {
    say(stderr, "engine: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    say(stderr, "engine: {}\n", error.what());
    return 3;
  }
}

}  // namespace engine
