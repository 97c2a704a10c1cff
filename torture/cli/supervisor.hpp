// Watches over one tortured child: one of several that the same loop looks after.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/progress_board.hpp"
#include "harness/supervise/stack_mailbox.hpp"
#include "harness/supervise/stop_signals.hpp"
#include "harness/supervise/watch.hpp"
#include "harness/topology/topology.hpp"
#include "torture/cli/plan.hpp"
#include "torture/threads/events.hpp"

namespace torture {

/// Forks the torture, notices its hang or crash, takes its stacks, passes a stop signal on, and notes its
/// end.
class Supervisor {
 public:
  /// Writes into `dir`, which exists. t_s = 0 of all its files is now.
  Supervisor(std::filesystem::path dir, const harness::StopSignals& stop)
      : dir_(std::move(dir)), stop_(stop), events_(dir_, start_ns_) {}

  Events& events() { return events_; }

  /// Forks the child, on these PUs; `notes` go on its console. Call it once. Broken if the fork is refused.
  void start(const PlannedScenario& planned, const harness::Topology& pus,
             const std::vector<std::string>& notes = {});

  /// Looks after the child: call it a few times a second. False once it has ended, which then stands in the
  /// events. Never waits, unless stacks are taken: then for as long as the debugger needs.
  bool step();

  /// How the child ended; empty before.
  const std::optional<harness::Ended>& ended() const { return ended_; }

  /// Sleeps until one of the children of `running` ends, a signal comes, or a fifth of a second has passed.
  static void wait(const std::vector<const Supervisor*>& running);

 private:
  void look();
  void pass_on_stop();
  void kill_at(uint64_t ns);
  void help();
  std::string machine_at_fault(const harness::Stall& stall) const;
  void end_hanging(const harness::Stall& stall);
  void write_stacks();
  void note_end();

  std::filesystem::path dir_;
  const harness::StopSignals& stop_;
  uint64_t start_ns_ = harness::now_ns();
  Events events_;
  harness::ProgressBoard board_{64};
  harness::StackMailbox mailbox_;
  std::optional<harness::Child> child_;
  std::optional<harness::Watch> watch_;
  std::optional<harness::Ended> ended_;
  uint64_t looked_ns_ = 0, kill_ns_ = ~uint64_t{0};
  bool helped_ = false, stop_passed_on_ = false, by_supervisor_ = false;
};

}  // namespace torture
