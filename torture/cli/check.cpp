#include <fmt/format.h>

#include "torture/cli/commands.hpp"
#include "torture/cli/matrix_judge.hpp"
#include "torture/oracle/judge.hpp"
#include "torture/oracle/recorded.hpp"

namespace torture {

namespace {

/// Files may hold anything; a terminal obeys what it is told.
std::string shown(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  return text;
}

void heed(Judgement& judgement, const std::filesystem::path& dir) {
  if (const std::string words = heed_recorded(judgement, dir); !words.empty()) fmt::print("{}\n", words);
}

int check_matrix(const std::filesystem::path& dir) {
  Judgement matrix = judge_matrix_dir(dir);
  for (const Failure& f : matrix.failures) fmt::print("{}: {}\n", shown(f.check), shown(f.message));
  heed(matrix, dir);
  fmt::print("{}\n", verdict_name(matrix.verdict));
  return exit_status(matrix.verdict);
}

}  // namespace

int check_command(const std::filesystem::path& dir) {
  if (is_matrix_dir(dir)) return check_matrix(dir);
  RunJudgement run = judge_run(dir);
  for (const auto& [name, j] : run.scenarios) {
    fmt::print("{}: {}{}\n", shown(name), verdict_name(j.verdict), j.why.empty() ? "" : " (" + shown(j.why) + ")");
    for (const Failure& f : j.failures)
      fmt::print("  {} x {}: {} [{}]\n", f.count, shown(f.check), shown(f.message), shown(f.evidence));
  }
  heed(run.whole, dir);
  fmt::print("{}\n", verdict_name(run.whole.verdict));
  return run.exit_status();
}

}  // namespace torture
