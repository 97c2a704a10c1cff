// The program's subcommands. Each returns an exit status and throws UsageError or Broken.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "torture/cli/plan.hpp"
#include "torture/oracle/verdict.hpp"

namespace torture {

/// Runs a plan from start to verdict. `extra`: see make_plan().
int run_command(const RunOptions& options, const Ops* extra);

/// What stands on the command line of `matrix`.
struct MatrixOptions {
  std::optional<std::string> contexts, strategies;  ///< Names with commas between; empty: all.
  bool quick = false;
  std::optional<std::filesystem::path> out;
  std::vector<std::string> argv;  ///< As given.
};

/// Every cell of caller's context and deferral strategy: predicted, proved, and really run.
int matrix_command(const MatrixOptions& options);

/// BROKEN, unless it is worse already. True if that changed it.
bool call_broken(Judgement& judgement, const std::string& why);

/// The report is Python's part; a run without it is a run all the same. But one for whose report the disk had no room is
/// broken, which its verdict.json must say: `record` writes that again. Where there is no room for it either, it is removed.
void make_report(const std::filesystem::path& dir, Judgement& whole, const std::function<void()>& record);

/// Judges an existing run directory from its files alone; writes nothing there.
int check_command(const std::filesystem::path& dir);

/// Prints one kind of thing, one a line: name, TAB, (for broken flavours the check they trip, TAB,) a
/// sentence.
int list_command(const std::string& what, bool json, const Ops* extra);

/// Draws and describes a placement of `threads` readers, on this machine or a described one.
struct TopologyOptions {
  std::string place = "scatter", synthetic, xml, svg;
  unsigned threads = 4;
};
int topology_command(const TopologyOptions& options);

/// What is handed to the controlled engine's program.
struct EngineOptions {
  std::optional<std::filesystem::path> binary;  ///< None: srcutorture-engine beside this one.
  std::vector<std::string> words;
};

/// Becomes the controlled engine's program: `what` is its subcommand. Returns only by an exception.
int engine_command(const std::string& what, const EngineOptions& options);

/// main(), for a program with or without a flavour of its own.
int main_command(const Ops* extra, int argc, char** argv);

}  // namespace torture
