#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <sstream>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "harness/base/say.hpp"
#include "harness/record/files.hpp"
#include "harness/record/run_dir.hpp"
#include "harness/supervise/stop_signals.hpp"
#include "harness/topology/placement.hpp"
#include "harness/topology/quota.hpp"
#include "torture/cli/commands.hpp"
#include "torture/cli/limits.hpp"
#include "torture/cli/manifest.hpp"
#include "torture/cli/matrix_judge.hpp"
#include "torture/cli/matrix_table.hpp"
#include "torture/kernel/cells.hpp"
#include "torture/kernel/tracepoint.hpp"

#ifndef SRCUTORTURE_PREDICTIONS
#error "the build gives SRCUTORTURE_PREDICTIONS, the source tree's file"
#endif

namespace torture {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

fs::path predictions_file() {
  const fs::path installed = scenario_dir() / "kernel" / "predictions.toml";
  return fs::exists(installed) ? installed : fs::path(SRCUTORTURE_PREDICTIONS);
}

Names split(const std::string& words) {
  Names names;
  std::istringstream in(words);
  for (std::string word; std::getline(in, word, ',');) names.push_back(word);
  return names;
}

void check_name(const char* what, const std::string& name, const Names& known) {
  if (std::ranges::find(known, name) != known.end()) return;
  throw harness::UsageError(fmt::format("no {} '{}'{} (all: srcutorture list {})", what, name,
                                        harness::did_you_mean(name, known),
                                        what == std::string("context") ? "contexts" : "strategies"));
}

void check_pattern(const std::string& context) {
  const std::string pattern = tracepoint_pattern(context);
  if (!kernel::tracepoints_like(pattern).empty()) return;
  Names names;
  for (const kernel::Tracepoint* point : kernel::tracepoints()) names.emplace_back(point->name());
  throw harness::UsageError(fmt::format("no tracepoint matches '{}'{} (all: srcutorture list tracepoints)", pattern,
                                        harness::did_you_mean(pattern, names)));
}

// Each once, in the order given.
Names chosen(const char* what, const std::optional<std::string>& words, const Names& all) {
  if (!words) return all;
  Names names;
  for (std::string name : split(*words)) {
    if (what == std::string("strategy") && name == "nolock") name = "nolock:irqs_off";
    if (what == std::string("context") && is_tracepoint_context(name))
      check_pattern(name);
    else
      check_name(what, name, all);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  if (names.empty()) check_name(what, *words, all);
  return names;
}

unsigned jobs_here(const harness::Topology& topology, const Limits& limits) {
  return std::max(1U, harness::cpus_at_once(topology.pus().size(), limits.quota));
}

Json plan_json(const MatrixOptions& options, const harness::Topology& topology, unsigned jobs, const Names& contexts,
               const Names& strategies, size_t cells) {
  return {{"schema", 1},       {"name", "matrix"},         {"kind", "matrix"},
          {"jobs", jobs},      {"machine", topology.summary()}, {"contexts", contexts},
          {"strategies", strategies}, {"quick", options.quick},  {"cells", cells},
          {"scenarios", Json::array()}, {"rerun", rerun_words(options.argv)}};
}

/// Tells a person how far it is, and the log how each cell ended.
class Account {
 public:
  Account(const fs::path& dir, const std::vector<CellResult>& cells)
      : dir_(dir), log_(dir / "log"), cells_(cells), terminal_(isatty(STDERR_FILENO)) {
    log_.line(fmt::format("{:%F %T} matrix starts: {} cells", fmt::localtime(std::time(nullptr)), cells.size()));
    fs::create_directory(dir / "cells");
  }

  void ended(const CellResult& result) {
    if (const std::string file = evidence_file(result); !file.empty())
      harness::write_once(dir_ / file, evidence_text(result));
    const std::string why = result.contradiction().why;
    log_.line(fmt::format("{}: predicted {}, prover {}, real {} in {} tries{}", cell_words(result.cell), result.predicted,
                          result.prover.check, result.real.check, result.real.tries,
                          why.empty() ? "" : " - contradiction: " + why));
    ++done_;
    contradictions_ += !why.empty();
    if (harness::now_ns() - saved_ns_ > 2'000'000'000) save();
    show();
  }

  /// So that there is something to judge, whatever ends us.
  void save() {
    harness::write_once(dir_ / "matrix.json", matrix_json(cells_).dump(1) + "\n");
    saved_ns_ = harness::now_ns();
  }

  void end(const Judgement& judgement) {
    if (terminal_) harness::say(stderr, "\r\033[K");
    log_.line(fmt::format("{:%F %T} matrix ends: {}{}", fmt::localtime(std::time(nullptr)),
                          verdict_name(judgement.verdict), judgement.why.empty() ? "" : ", " + judgement.why));
  }

 private:
  void show() {
    const uint64_t every = terminal_ ? 200'000'000 : 60'000'000'000;
    if (harness::now_ns() - shown_ns_ < every) return;
    shown_ns_ = harness::now_ns();
    harness::say(stderr, "{}{} of {} cells, {} contradictions{}", terminal_ ? "\r\033[K" : "", done_, cells_.size(),
               contradictions_, terminal_ ? "" : "\n");
    std::fflush(stderr);
  }

  fs::path dir_;
  harness::Appender log_;
  const std::vector<CellResult>& cells_;
  size_t done_ = 0, contradictions_ = 0;
  bool terminal_;
  uint64_t shown_ns_ = harness::now_ns(), saved_ns_ = shown_ns_;
};

}  // namespace

int matrix_command(const MatrixOptions& options) {
  const Names contexts = chosen("context", options.contexts, cell_context_names());
  const Names strategies = chosen("strategy", options.strategies, cell_strategy_names());
  std::vector<CellResult> cells =
      matrix_cells(contexts, strategies, options.quick, Predictions(predictions_file()));
  const harness::Topology topology = harness::Topology::this_machine();
  const Limits limits = limits_here(topology);
  const unsigned jobs = jobs_here(topology, limits);
  harness::writes_fail_without_a_signal();
  const fs::path dir = harness::create_run_dir(options.out, "matrix");
  harness::write_once(dir / "manifest.json", manifest_json(options.argv, limits, jobs, nullptr).dump(2) + "\n");
  harness::write_once(dir / "plan.json",
                      plan_json(options, topology, jobs, contexts, strategies, cells.size()).dump(2) + "\n");
  const uint64_t start_ns = harness::now_ns();
  Account account(dir, cells);
  int stopped = 0;
  std::string broken;
  try {
    const harness::StopSignals stop;
    run_matrix(
        cells, jobs, [&account](const CellResult& result) { account.ended(result); },
        [&stop] { return stop.noted() != 0; });
    stopped = stop.noted();
  } catch (const harness::Broken& error) {  // the cells that ran are no worse for it
    broken = error.what();
    harness::say(stderr, "srcutorture: {}\n", broken);
  }
  Judgement judgement = judge_matrix(cells, static_cast<double>(harness::now_ns() - start_ns) / 1e9, stopped != 0, broken);
  account.end(judgement);
  account.save();
  const auto record = [&] {
    harness::write_once(dir / "verdict.json", matrix_verdict_json(judgement).dump(2) + "\n");
  };
  record();
  make_report(dir, judgement, record);
  harness::say(stdout, "{}\n{}{}\nresults in {}\n", matrix_table(cells, isatty(STDOUT_FILENO) && !getenv("NO_COLOR")),
             verdict_name(judgement.verdict), judgement.why.empty() ? "" : ": " + judgement.why, dir.string());
  return stopped ? 128 + stopped : exit_status(judgement.verdict);
}

}  // namespace torture
