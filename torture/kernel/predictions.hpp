// What is predicted of each cell, read from predictions.toml.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "torture/kernel/cell.hpp"

namespace torture {

/// One rule: what it matches, and what it predicts there.
struct Prediction {
  /// Key of a cell -> values that match, each perhaps with a * at its end. A key that is missing matches all.
  std::vector<std::pair<std::string, std::vector<std::string>>> match;
  std::string predicted, because, facts;
  std::string revised;  ///< What was predicted first, and what showed it wrong; empty if it stands as first written.
  std::string rare;     ///< Why tries may not see the deadlock; empty: they must.
  unsigned line = 0;  ///< Of the file, for people.

  bool matches(const Cell& cell) const;
};

class Predictions {
 public:
  /// UsageError with file, line and column for whatever is wrong: no TOML, unknown keys and names, something missing.
  explicit Predictions(const std::filesystem::path& file);

  /// The last rule that matches; null if none does.
  const Prediction* of(const Cell& cell) const;

  const std::vector<Prediction>& rules() const { return rules_; }

 private:
  std::vector<Prediction> rules_;
};

}  // namespace torture
