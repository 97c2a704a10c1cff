#include "torture/kernel/predictions.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "harness/base/errors.hpp"
#include "torture/kernel/agreement.hpp"
#include "torture/kernel/cells.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;

std::vector<Cell> all_cells() {
  std::vector<Cell> all;
  for (const std::string& context : cell_context_names())
    for (const std::string& strategy : cell_strategy_names())
      for (const Cell& cell : cells_of(context, strategy)) all.push_back(cell);
  return all;
}

TEST(Predictions, EveryCellHasOneAndEveryRuleIsTheLastWordSomewhere) {
  const Predictions predictions(SRCUTORTURE_PREDICTIONS);
  std::set<const Prediction*> used;
  for (const Cell& cell : all_cells()) {
    const Prediction* rule = predictions.of(cell);
    EXPECT_TRUE(rule) << cell_words(cell);
    used.insert(rule);
  }
  for (const Prediction& rule : predictions.rules())
    EXPECT_TRUE(used.contains(&rule)) << SRCUTORTURE_PREDICTIONS << ":" << rule.line << ": never used";
}

// A second rule for a cell that has one is meant as an exception: it must match fewer cells than the one before it.
TEST(Predictions, ALaterRuleIsAnExceptionToAnEarlierOne) {
  const Predictions predictions(SRCUTORTURE_PREDICTIONS);
  const auto cells = all_cells();
  const auto reach = [&cells](const Prediction& rule) {
    return std::ranges::count_if(cells, [&rule](const Cell& cell) { return rule.matches(cell); });
  };
  for (const Cell& cell : cells) {
    const Prediction* before = nullptr;
    for (const Prediction& rule : predictions.rules()) {
      if (!rule.matches(cell)) continue;
      if (before) {
        EXPECT_LT(reach(rule), reach(*before)) << cell_words(cell) << ", line " << rule.line;
      }
      before = &rule;
    }
  }
}

std::string predicted(const char* context, const char* strategy, const char* instance, const char* domain,
                      const char* pace) {
  static const Predictions predictions(SRCUTORTURE_PREDICTIONS);
  return predictions.of({context, strategy, instance, domain, pace, false})->predicted;
}

// What the thread itself says.
TEST(Predictions, HoldTheThreadsOwnCases) {
  EXPECT_EQ(predicted("rq_lock", "rc4", "own", "same", "expedited"), "deadlock");
  EXPECT_EQ(predicted("rq_lock", "rc4", "own", "same", "normal"), "cycle");
  EXPECT_EQ(predicted("timer_base_lock", "delayed", "own", "same", "normal"), "deadlock");
  EXPECT_EQ(predicted("timer_base_lock", "irq_work", "own", "same", "normal"), "ok");
  EXPECT_EQ(predicted("timer_base_lock", "tasks_trace_legacy", "own", "same", "normal"), "deadlock");
  EXPECT_EQ(predicted("nmi_in_call_srcu", "irq_work", "own", "same", "normal"), "deadlock");
  EXPECT_EQ(predicted("nmi_in_call_srcu", "nolock:always", "own", "same", "normal"), "ok");
}

class File {
 public:
  explicit File(const std::string& text) { std::ofstream(path_) << text; }
  ~File() { fs::remove(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_ = fs::path(testing::TempDir()) / fmt::format("predictions.{}.toml", getpid());
};

std::string refusal(const std::string& text) {
  const File file(text);
  try {
    const Predictions predictions(file.path());
  } catch (const harness::UsageError& error) {
    const std::string words = error.what();
    return words.substr(words.find(".toml") + 5);
  }
  return "taken";
}

constexpr const char* kRest = "because = 'b'\nfacts = 'f'\n";

TEST(Predictions, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_EQ(refusal("schema = 1\n[[rule]]\npredicted = 'ok'\n" + std::string(kRest)), "taken");
  EXPECT_TRUE(refusal("schema = \n").starts_with(":1:")) << refusal("schema = \n");
  EXPECT_EQ(refusal("schema = 2\n"), ":1:10: write schema = 1: this program knows no other");
  EXPECT_NE(refusal("").find("schema = 1"), std::string::npos);
  EXPECT_NE(refusal("schema = 1\n").find("[[rule]]"), std::string::npos);
  const std::string rule = "schema = 1\n[[rule]]\n";
  EXPECT_EQ(refusal(rule + "contxt = 'none'\n"), ":3:1: no key 'contxt'; did you mean context?");
  EXPECT_EQ(refusal(rule + "context = 'rq_lok'\n"), ":3:11: unknown 'rq_lok'; did you mean rq_lock?");
  EXPECT_EQ(refusal(rule + "strategy = ['direct', 'delayd']\n"), ":3:23: unknown 'delayd'; did you mean delayed?");
  EXPECT_NE(refusal(rule + "strategy = 'nolok:*'\n").find(":3:12: unknown 'nolok:*'"), std::string::npos);
  EXPECT_EQ(refusal(rule + "pace = []\n"), ":3:8: an empty list matches nothing: leave the key out");
  EXPECT_EQ(refusal(rule + "pace = 7\n"), ":3:8: takes a word in quotes");
  EXPECT_EQ(refusal(rule + "predicted = 'deadlok'\n" + kRest), ":3:13: unknown 'deadlok'; did you mean deadlock?");
  EXPECT_EQ(refusal(rule + "predicted = 'ok'\nfacts = 'f'\n"), ":2:1: a rule needs 'because'");
  EXPECT_EQ(refusal(rule + "predicted = 'deadlock'\nrare = 'seldom hit'\n" + kRest), "taken");
  EXPECT_EQ(refusal(rule + "predicted = 'cycle'\nrare = 'seldom hit'\n" + kRest), ":4:8: only a deadlock is rare");
  EXPECT_EQ(refusal(rule + "predicted = 'deadlock'\nrare = ''\n" + kRest),
            ":4:8: say why the deadlock is rare, or leave the key out");
  EXPECT_EQ(refusal("schema = 1\nrules = 1\n" + rule.substr(11) + "predicted = 'ok'\n" + kRest),
            ":2:1: no key 'rules'; did you mean rule?");
}

TEST(Predictions, AFileThatIsMissingIsNamed) {
  EXPECT_THROW(Predictions("/no/such.toml"), harness::UsageError);
}

TEST(Predictions, TheLastMatchSpeaks) {
  const File file("schema = 1\n[[rule]]\npredicted = 'ok'\n" + std::string(kRest) +
                  "[[rule]]\nstrategy = 'nolock:*'\npreempt_rt = true\npredicted = 'leak'\n" + kRest);
  const Predictions predictions(file.path());
  EXPECT_EQ(predictions.of({"none", "nolock:in_nmi", "own", "same", "normal", true})->predicted, "leak");
  EXPECT_EQ(predictions.of({"none", "nolock:in_nmi", "own", "same", "normal", false})->predicted, "ok");
  EXPECT_EQ(predictions.of({"none", "direct", "own", "same", "normal", true})->predicted, "ok");
}

}  // namespace
}  // namespace torture
