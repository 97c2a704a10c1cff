// One cell of the matrix: a caller's context against a strategy. What is predicted of it stands in predictions.toml; what
// the prover and a real run say of it is found by run_cell(), in a process of its own.
#pragma once

#include <cstdint>
#include <string>

namespace torture {

struct Cell {
  std::string context, strategy;
  std::string instance;  ///< "own": the lock of the CPU that the caller runs on; "other": another CPU's.
  std::string domain;    ///< "same" as the one that the context belongs to (a section, a callback, SRCU's locks); "other".
  std::string pace;      ///< Of a grace period that is asked for just before: "normal" or "expedited".
  bool preempt_rt = false;
};

enum class Way { kProver, kReal };

struct CellOutcome {
  std::string check = "ok";  ///< Or a check's name; "n/a" where the context or the host cannot offer it.
  std::string evidence;      ///< The report, or who waits for whom with the held locks; many lines.
  unsigned tries = 0;
  double p50_ns = 0, p99_ns = 0;  ///< From the post to its callback.
  double needless = 0;            ///< Share of the deferred posts that would have met no lock of their own thread's.
};

/// Runs one cell in the calling process, which must be fresh and end soon after: a deadlock leaves threads behind. The
/// outcome is given to `tell` exactly once, from whichever thread finds it, before anything can hang.
void run_cell(const Cell& cell, Way way, void (*tell)(const CellOutcome&, void* argument), void* argument);

}  // namespace torture
