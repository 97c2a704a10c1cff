#include "torture/kernel/matrix.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "harness/base/errors.hpp"
#include "torture/kernel/cell_process.hpp"
#include "torture/kernel/cells.hpp"

namespace torture {
namespace {

using Json = nlohmann::ordered_json;


CellResult foretell(const Cell& cell, const Predictions& predictions) {
  if (is_tracepoint_context(cell.context))
    return {cell, "n/a", "No prediction: which locks are held depends on where the tracepoint stands.", "", "", "", "", false};
  const Prediction* rule = predictions.of(cell);
  Cell at_once = cell;
  at_once.strategy = "direct";
  const Prediction* direct = predictions.of(at_once);
  if (!rule || !direct) throw harness::Broken("the predictions say nothing of " + cell_words(rule ? at_once : cell));
  return {cell, rule->predicted, rule->because, rule->facts, rule->revised, rule->rare, direct->predicted};
}

/// One cell that runs: first the prover, then for real.
class Running {
 public:
  explicit Running(CellResult& result) : result_(result), process_(start(Way::kProver)) {}

  /// False once the cell has ended.
  bool step() {
    if (!process_->step()) return true;
    (way_ == Way::kProver ? result_.prover : result_.real) = process_->outcome();
    if (way_ == Way::kProver && !is_tracepoint_context(result_.cell.context)) {
      process_ = start(Way::kReal);
      return true;
    }
    if (way_ == Way::kProver) result_.real.check = "n/a";
    result_.ran = true;
    return false;
  }

  int fd() const { return process_->fd(); }
  const CellResult& result() const { return result_; }

 private:
  std::unique_ptr<CellProcess> start(Way way) {
    way_ = way;
    return std::make_unique<CellProcess>(result_.cell, way);
  }

  CellResult& result_;
  Way way_ = Way::kProver;
  std::unique_ptr<CellProcess> process_;
};

void wait_for_any(const std::vector<std::unique_ptr<Running>>& running) {
  std::vector<pollfd> ends;
  for (const auto& one : running) ends.push_back({one->fd(), POLLIN, 0});
  poll(ends.data(), ends.size(), kCellLookMs);
}

unsigned badness(const std::string& word) {
  static const std::vector<std::string> order = {"n/a",        "ok",         "class_only",    "leak",     "wait_context",
                                                 "cycle",      "lock_cycle", "self_deadlock", "deadlock", "stalled_gp",
                                                 "crash"};
  const auto found = std::ranges::find(order, word);
  return found == order.end() ? 5 : static_cast<unsigned>(found - order.begin());
}

auto badness_of(const CellResult& result) {
  return std::tuple(!result.contradiction().why.empty(), badness(result.real.check), badness(result.predicted),
                    badness(result.prover.check));
}

Json key_json(const Cell& cell) {
  return {{"context", cell.context}, {"strategy", cell.strategy}, {"instance", cell.instance},
          {"domain", cell.domain},   {"pace", cell.pace},         {"preempt_rt", cell.preempt_rt}};
}

Json cell_json(const CellResult& result) {
  Json json = key_json(result.cell);
  json["predicted"] = result.predicted;
  json["prover"] = result.prover.check;
  json["real"] = result.real.check;
  json["tries"] = result.real.tries;
  json["evidence"] = evidence_file(result);
  json["post_to_invoke_ns"] = {{"p50", result.real.p50_ns}, {"p99", result.real.p99_ns}};
  json["needless_deferrals"] = result.needless_deferrals();
  json["because"] = result.because;
  json["facts"] = result.facts;
  json["revised"] = result.revised;
  json["rare"] = result.rare;
  const Contradiction contradiction = result.contradiction();
  json["contradiction"] = contradiction.why;
  json["check"] = contradiction.missed ? "" : contradiction.check;  // what it fails by; that nothing came is no check's
  return json;
}

CellResult result_of(const Json& json) {
  const auto word = [&json](const char* key) { return json.at(key).get<std::string>(); };
  CellResult result{
      {word("context"), word("strategy"), word("instance"), word("domain"), word("pace"), json.at("preempt_rt").get<bool>()},
      word("predicted"),
      word("because"),
      word("facts"),
      word("revised"),
      json.value("rare", "")};
  result.foretold = !is_tracepoint_context(result.cell.context);
  result.ran = true;
  result.prover.check = word("prover");
  result.real.check = word("real");
  if (std::ranges::find(prediction_words(), result.predicted) == prediction_words().end())
    throw harness::UsageError("matrix.json predicts '" + result.predicted + "', which this program does not know");
  return result;
}

Json summary_json(const CellResult& worst) {
  return {{"context", worst.cell.context}, {"strategy", worst.cell.strategy}, {"predicted", worst.predicted},
          {"prover", worst.prover.check},  {"real", worst.real.check},        {"contradiction", worst.contradiction().why}};
}

}  // namespace

// One that another thread's lock would have hung is none that a try by itself can see.
double CellResult::needless_deferrals() const { return direct == "ok" ? real.needless : 0; }

Contradiction CellResult::contradiction() const {
  if (!ran) return {};
  if (foretold) return torture::contradiction(predicted, prover.check, real.check, !rare.empty());
  return unforetold(prover.check);
}

bool CellResult::tried() const { return ran && (prover.check != "n/a" || real.check != "n/a"); }

std::vector<CellResult> matrix_cells(const std::vector<std::string>& contexts,
                                     const std::vector<std::string>& strategies, bool quick,
                                     const Predictions& predictions) {
  std::vector<CellResult> results;
  for (const std::string& context : contexts)
    for (const std::string& strategy : strategies)
      for (const Cell& cell : quick ? quick_cells_of(context, strategy) : cells_of(context, strategy))
        results.push_back(foretell(cell, predictions));
  return results;
}

void run_matrix(std::vector<CellResult>& cells, unsigned jobs, const std::function<void(const CellResult&)>& ended,
                const std::function<bool()>& stop) {
  std::vector<std::unique_ptr<Running>> running;
  auto next = cells.begin();
  while (!stop()) {
    while (running.size() < jobs && next != cells.end()) running.push_back(std::make_unique<Running>(*next++));
    if (running.empty()) return;
    std::erase_if(running, [&ended](const auto& one) {
      if (one->step()) return false;
      ended(one->result());
      return true;
    });
    if (!running.empty()) wait_for_any(running);
  }
}

std::vector<const CellResult*> worst_of_pairs(const std::vector<CellResult>& cells) {
  std::vector<const CellResult*> worst;
  std::map<std::pair<std::string, std::string>, size_t> place;
  for (const CellResult& result : cells) {
    if (!result.ran) continue;
    const auto [at, fresh] = place.try_emplace({result.cell.context, result.cell.strategy}, worst.size());
    if (fresh)
      worst.push_back(&result);
    else if (badness_of(result) > badness_of(*worst[at->second]))
      worst[at->second] = &result;
  }
  return worst;
}

std::string evidence_file(const CellResult& result) {
  if (result.prover.evidence.empty() && result.real.evidence.empty()) return "";
  return "cells/" + cell_file_name(result.cell) + ".txt";
}

std::string evidence_text(const CellResult& result) {
  std::string text = cell_words(result.cell) + "\n";
  for (const auto& [who, outcome] : {std::pair("prover", &result.prover), std::pair("real run", &result.real)})
    text += fmt::format("\n--- {}: {}\n{}\n", who, outcome->check, outcome->evidence);
  return text;
}

Json matrix_json(const std::vector<CellResult>& cells) {
  Json all = Json::array(), summary = Json::array();
  for (const CellResult& result : cells)
    if (result.ran) all.push_back(cell_json(result));
  for (const CellResult* worst : worst_of_pairs(cells)) summary.push_back(summary_json(*worst));
  return {{"schema", 1}, {"cells", all}, {"summary", summary}};
}

std::vector<CellResult> matrix_from_json(const Json& matrix) {
  std::vector<CellResult> results;
  if (matrix.is_null()) return results;
  try {
    for (const Json& cell : matrix.at("cells")) results.push_back(result_of(cell));
  } catch (const Json::exception&) {
    throw harness::UsageError("matrix.json is cut or is no matrix");
  }
  return results;
}

}  // namespace torture
