// One torture from start to end, in the supervised child.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/supervise/progress_board.hpp"
#include "harness/topology/topology.hpp"
#include "torture/threads/cast.hpp"
#include "torture/threads/events.hpp"
#include "torture/threads/params.hpp"

namespace torture {

/// What a session is given. All of it was checked before; the directory exists.
struct SessionPlan {
  const Ops& ops;
  Params params;
  uint64_t seed;
  uint64_t duration_ns;
  uint64_t stop_latency_ns;  ///< A grace period that takes longer is a failure, and the end; 0: none is.
  uint64_t start_ns;         ///< CLOCK_MONOTONIC at t_s = 0 of all files.
  std::filesystem::path dir;
  std::vector<harness::Seat> seats;
  std::vector<unsigned> pus;       ///< All threads stay on these, also those without a seat.
  unsigned cpus;                   ///< How many of these are had at once.
  std::vector<std::string> notes;  ///< What to say on the console about the machine.
  harness::ProgressBoard& board;
  std::function<std::unique_ptr<Company>()> company{};  ///< Empty: none.
  bool chaos = false;                                   ///< The scheme is made to wait at its atomic accesses.
};

/// Why this scenario cannot run on this scheme, in one sentence; empty if it can.
std::string cannot_run(const Ops& ops, const Params& params);

/// Runs `body` with the events of a session. What it throws becomes the last event, "broken", said in `who`'s
/// name, and the process ends at once with 3, also without room for another word on the disk or in memory.
void run_guarded(const SessionPlan& plan, std::string_view who, const std::function<void(Events&)>& body);

/// Runs the torture in the calling process and writes console.log, events.jsonl, stats.jsonl, gp.hlog and
/// gp.hgrm. The last event is "end". Returns normally only if all threads could be joined. When threads hang
/// in the scheme, or a grace period takes too long, it asks the supervisor for help and stops the whole
/// process (SIGSTOP), so that every stack is found as it is; once continued and helped, it ends the process.
/// Broken (disk full, bind refused) is written as the event "broken" where possible, and the process exits
/// with 3.
void run_session(const SessionPlan& plan);

}  // namespace torture
