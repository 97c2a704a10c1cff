#include "harness/supervise/gdb_stacks.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <sstream>

#include "harness/base/errors.hpp"
#include "harness/supervise/command.hpp"
#include "harness/supervise/proc.hpp"

namespace harness {
namespace {

/// Many threads in deep recursion; more helps nobody.
constexpr size_t kMostText = 8u << 20;

/// A debugger stops what it attaches to. Killed half way, it may leave behind a stop that is not even taken
/// yet, so what the process looks like now does not tell. Who is being traced by somebody else is left to
/// them.
void leave_as_found(pid_t pid, char state_before) {
  if (state_before == 't') return;
  ::kill(pid, state_before == 'T' ? SIGSTOP : SIGCONT);
}

/// The line in which gdb says what went wrong.
std::string complaint(const std::string& output) {
  std::istringstream lines(output);
  std::string last = "it said nothing";
  for (std::string line; std::getline(lines, line);) {
    if (line.find("ptrace") != line.npos) return fmt::format("ptrace refused ({})", line);
    if (!line.empty()) last = line;
  }
  return last;
}

std::string trouble_in(const Said& said, bool has_stacks, double seconds) {
  if (!said.started) return said.trouble;
  if (said.timed_out) return fmt::format("not ready after {} s", seconds);
  if (said.cut) return fmt::format("more than {} bytes", kMostText);
  return has_stacks ? std::string() : complaint(said.output);
}

}  // namespace

GdbStacks gdb_stacks(pid_t pid, const std::string& gdb, double seconds) {
  const auto before = proc_stat(pid);
  if (!before) return {"", "the process is gone"};
  // No init files and no downloads of debug information: nothing that a machine's set-up could make slow.
  const std::vector<std::string> argv{gdb,    "-q",
                                      "-nx",  "--batch",
                                      "-iex", "set debuginfod enabled off",
                                      "-iex", "set auto-load no",
                                      "-iex", "set width 0",
                                      "-p",   std::to_string(pid),
                                      "-ex",  "info threads",
                                      "-ex",  "thread apply all -c bt 48"};
  Said said;
  try {
    said = run_bounded(argv, seconds, kMostText);
  } catch (const Broken& refusal) {
    return {"", refusal.what()};
  }
  leave_as_found(pid, before->state);
  const bool has_stacks = said.output.find("#0 ") != std::string::npos;
  return {has_stacks ? said.output : "", trouble_in(said, has_stacks, seconds)};
}

}  // namespace harness
