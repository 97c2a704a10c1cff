// The matrix: all its cells, predicted, proved and really run, and what of it goes into matrix.json.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "torture/kernel/agreement.hpp"
#include "torture/kernel/cell.hpp"
#include "torture/kernel/predictions.hpp"

namespace torture {

/// What one cell came to.
struct CellResult {
  Cell cell;
  std::string predicted, because, facts, revised, rare;
  std::string direct;    ///< What is predicted of the same cell under strategy `direct`.
  bool foretold = true;  ///< False for tracepoints: nothing is predicted of those.
  bool ran = false;      ///< Both ways came to their end.
  CellOutcome prover, real;

  /// Share of the deferred posts of the real run that need not have been: `direct` is predicted to be fine here, and the post
  /// met no lock of its own thread's.
  double needless_deferrals() const;
  /// Of its prediction; none if it has none, or did not run.
  Contradiction contradiction() const;
  /// Something was found out: not both answers are "n/a".
  bool tried() const;
};

/// Every cell of these contexts and strategies with its prediction, not yet run. Broken if the predictions leave one out.
std::vector<CellResult> matrix_cells(const std::vector<std::string>& contexts,
                                     const std::vector<std::string>& strategies, bool quick,
                                     const Predictions& predictions);

/// Runs them, `jobs` processes at a time. `ended` hears of every cell that has ended; `stop` is asked a few times a
/// second, and true ends all at once.
void run_matrix(std::vector<CellResult>& cells, unsigned jobs, const std::function<void(const CellResult&)>& ended,
                const std::function<bool()>& stop);

/// The worst cell of each pair of a context and a strategy, in the order of `cells`: one that contradicts its prediction
/// before others, then the worst in reality, then by prediction and proof. What did not run is left out.
std::vector<const CellResult*> worst_of_pairs(const std::vector<CellResult>& cells);

/// Where a cell's evidence stands in the run directory; empty if there is none.
std::string evidence_file(const CellResult& result);
/// What stands there.
std::string evidence_text(const CellResult& result);

/// matrix.json.
nlohmann::ordered_json matrix_json(const std::vector<CellResult>& cells);
/// The cells of one, all of which have run, without their evidence; none if it is not there. UsageError for one that
/// this program did not write.
std::vector<CellResult> matrix_from_json(const nlohmann::ordered_json& matrix);

}  // namespace torture
