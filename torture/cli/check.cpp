#include <fmt/format.h>

#include "torture/cli/commands.hpp"
#include "torture/oracle/judge.hpp"

namespace torture {

int check_command(const std::filesystem::path& dir) {
  const RunJudgement run = judge_run(dir);
  for (const auto& [name, j] : run.scenarios) {
    fmt::print("{}: {}{}\n", name, verdict_name(j.verdict), j.why.empty() ? "" : " (" + j.why + ")");
    for (const Failure& f : j.failures)
      fmt::print("  {} x {}: {} [{}]\n", f.count, f.check, f.message, f.evidence);
  }
  fmt::print("{}\n", verdict_name(run.whole.verdict));
  return run.exit_status();
}

}  // namespace torture
