// The matrix's rows, columns and cells: which contexts and strategies there are, and which of a cell's dimensions a
// context has.
#pragma once

#include <string>
#include <vector>

#include "torture/kernel/cell.hpp"

namespace torture {

/// The rows and the columns, as far as they have names.
std::vector<std::string> cell_context_names();
std::vector<std::string> cell_strategy_names();

/// "tp:PATTERN": the tracepoints that a pattern names. They are proved, not run.
bool is_tracepoint_context(const std::string& context);
std::string tracepoint_pattern(const std::string& context);

/// Every cell of a context and a strategy. A dimension that the context does not have stands at its first value.
std::vector<Cell> cells_of(const std::string& context, const std::string& strategy);

/// The few of them that a short run looks at.
std::vector<Cell> quick_cells_of(const std::string& context, const std::string& strategy);

/// "rq_lock x direct, another CPU's lock, expedited, PREEMPT_RT".
std::string cell_words(const Cell& cell);

/// The same as a file's name.
std::string cell_file_name(const Cell& cell);

}  // namespace torture
