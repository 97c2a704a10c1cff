// From the answers of a matrix to its verdict.
#pragma once

#include <filesystem>
#include <vector>

#include "torture/kernel/matrix.hpp"
#include "torture/oracle/verdict.hpp"

namespace torture {

/// One failure for each cell that contradicts its prediction. `stopped`: before all had run; `broken`: by what, if not by a signal.
Judgement judge_matrix(const std::vector<CellResult>& cells, double duration_s, bool stopped, const std::string& broken = {});

/// What verdict.json holds.
nlohmann::ordered_json matrix_verdict_json(const Judgement& judgement);

/// Whether the directory is that of a matrix, by its plan.
bool is_matrix_dir(const std::filesystem::path& dir);

/// Judges it from its files alone. UsageError if they are not those of a matrix.
Judgement judge_matrix_dir(const std::filesystem::path& dir);

}  // namespace torture
