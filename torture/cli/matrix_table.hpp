// The matrix as a person sees it on a terminal.
#pragma once

#include <string>
#include <vector>

#include "torture/kernel/matrix.hpp"

namespace torture {

/// Contexts as rows, strategies as columns, the worst cell of each pair in a word; a legend; what contradicts its
/// prediction, and why. Readable without colour.
std::string matrix_table(const std::vector<CellResult>& cells, bool color);

}  // namespace torture
