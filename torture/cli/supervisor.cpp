#include "torture/cli/supervisor.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "harness/record/files.hpp"
#include "harness/supervise/crash_hold.hpp"
#include "harness/supervise/detained.hpp"
#include "harness/supervise/sanitizer_reports.hpp"
#include "harness/supervise/stacks.hpp"
#include "harness/topology/placement.hpp"
#include "torture/kernel/laboratory.hpp"
#include "torture/kernel/nmi_session.hpp"
#include "torture/threads/session.hpp"

namespace torture {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
// The conductor beats every 10 ms. It may be given no CPU for long; it cannot be given it for 20 s and not
// beat.
constexpr harness::WatchLimits kWatch{.cpu_s = 40, .wall_s = 60};
constexpr uint64_t kStopGraceNs = 20 * kSecond, kHelpGraceNs = 10 * kSecond;

}  // namespace

void Supervisor::start(const PlannedScenario& planned, const harness::Topology& pus,
                       const std::vector<std::string>& notes) {
  const SessionPlan session{*planned.flavor.ops,
                            planned.scenario.params,
                            planned.seed,
                            static_cast<uint64_t>(planned.duration_s * 1e9),
                            planned.stop_latency_ns,
                            start_ns_,
                            dir_,
                            seats_of(planned, pus),
                            pus.pus(),
                            cpus_of(planned, pus),
                            notes,
                            board_,
                            laboratory(planned.scenario.params, takes_strategy(*planned.flavor.ops), pus.pus()),
                            planned.chaos};
  const auto run = steps_nmis(planned.scenario.params) ? run_nmi_session : run_session;
  child_.emplace(
      [&session, run, this] {
        harness::hold_on_crash(board_);
        harness::sanitizer_reports_to(dir_ / "sanitizer");
        choose_strategy(session.params.strategy.c_str());
        run(session);
        return 0;
      },
      &mailbox_);
  watch_.emplace(board_, child_->pid(), kWatch);
}

bool Supervisor::step() {
  if (!ended_ && (ended_ = child_->wait(0))) note_end();
  if (ended_) return false;
  look();
  pass_on_stop();
  if (helped_) child_->send(SIGCONT);  // it may stop itself only after we let it go on
  if (harness::now_ns() >= kill_ns_) {
    // It did not obey a stop: where it was is all that will be known.
    if (!by_supervisor_ && stop_passed_on_ && !helped_) write_stacks();
    by_supervisor_ = true;
    child_->send(SIGKILL);
  }
  return true;
}

void Supervisor::wait(const std::vector<const Supervisor*>& running) {
  std::vector<pollfd> ends;
  for (const Supervisor* one : running) ends.push_back({one->child_->fd(), POLLIN, 0});
  poll(ends.data(), ends.size(), 200);
}

void Supervisor::look() {
  if (!helped_ && board_.help_asked()) help();
  const uint64_t now = harness::now_ns();
  if (now - looked_ns_ < kSecond) return;
  looked_ns_ = now;
  if (const auto stall = watch_->look()) end_hanging(*stall);
}

void Supervisor::pass_on_stop() {
  if (!stop_.noted() || stop_passed_on_) return;
  stop_passed_on_ = true;
  events_.say("stopped", {{"signal", harness::signal_name(stop_.noted())}});
  board_.request_stop();
  kill_at(harness::now_ns() + kStopGraceNs);
}

void Supervisor::kill_at(uint64_t ns) { kill_ns_ = std::min(kill_ns_, ns); }

// The child noticed a hang or a crash itself and wrote down what it is. Now for the stacks, then the end.
void Supervisor::help() {
  helped_ = true;
  write_stacks();
  board_.give_help();
  kill_at(harness::now_ns() + kHelpGraceNs);
}

// The conductor, whose beats these are, waits for a scheme asleep or running. Where the kernel itself does
// not let it go, nothing can be said of the scheme.
std::string Supervisor::machine_at_fault(const harness::Stall& stall) const {
  for (const auto& [name, tid, beats, expected] : board_.read()) {
    if (std::ranges::find(stall.threads, name) == stall.threads.end()) continue;
    if (const auto detained = harness::detained(child_->pid(), tid)) {
      return fmt::format("the kernel kept the {} {} for {:.0f} s: the machine, not the scheme", name,
                         detained->words(), stall.wall_s);
    }
  }
  return {};
}

void Supervisor::end_hanging(const harness::Stall& stall) {
  if (const std::string why = machine_at_fault(stall); !why.empty()) {
    events_.say("broken", {{"message", why}});
  } else {
    events_.say("failure",
                {{"check", "no_forward_progress"}, {"message", stall.words()}, {"evidence", "stacks.txt"}});
  }
  write_stacks();
  kill_at(harness::now_ns());
}

void Supervisor::write_stacks() {
  const harness::Stacks stacks = harness::take_stacks(child_->pid(), &mailbox_, {.wake = true});
  harness::write_once(dir_ / "stacks.txt", stacks.text);
  events_.say("stacks", {{"way", stacks.way}, {"why_no_better", stacks.why_no_better}});
}

void Supervisor::note_end() {
  nlohmann::ordered_json fields = {{"words", ended_->words()}};
  if (ended_->exit_code) fields["exit_code"] = *ended_->exit_code;
  if (ended_->signal) {
    fields["signal"] = harness::signal_name(ended_->signal);
    fields["foreign"] = ended_->foreign && !by_supervisor_;
    fields["by_supervisor"] = by_supervisor_;
    fields["oom"] = ended_->oom;
  }
  events_.say("child_ended", fields);
}

}  // namespace torture
