#include "torture/threads/conductor.hpp"

#include <fmt/format.h>

#include "harness/base/clock.hpp"

namespace torture {
namespace {

constexpr uint64_t kTick = 10'000'000;
constexpr uint64_t kSecond = 1'000'000'000;

}  // namespace

Conductor::Conductor(World& world, Cast& cast, const Params& params, const std::vector<Phase>& phases,
                     Events& events, Reports& reports, Hooks hooks)
    : world_(world),
      cast_(cast),
      params_(params),
      events_(events),
      reports_(reports),
      hooks_(std::move(hooks)),
      phases_(phases),
      patience_(kTick),
      watch_(world, cast, static_cast<uint64_t>(params.stall_limit)) {}

void Conductor::to_phase(size_t index) {
  phase_ = index % phases_.size();
  // release: pairs with the acquire in World::now()
  world_.phase.store(&phases_[phase_], std::memory_order_release);
  events_.say("phase", {{"name", phases_[phase_].name},
                        {"stutter", world_.stutter != nullptr && phases_[phase_].stutter}});
}

// Windows for the report: at most one a second, however short the floods and the time between them.
void Conductor::note_flood() {
  const bool on = cast_.flood() && cast_.flood()->flooding();
  const uint64_t now = harness::now_ns();
  if (on == flood_noted_ || (on && now - flood_noted_ns_ < kSecond)) return;
  flood_noted_ = on;
  if (on) flood_noted_ns_ = now;
  events_.say("flood", {{"on", on}});
}

Finish Conductor::run(uint64_t duration_ns) {
  to_phase(0);
  world_.gate.open();
  const uint64_t end = harness::now_ns() + duration_ns;
  uint64_t next_phase = harness::now_ns() + static_cast<uint64_t>(params_.phase_length);
  while (harness::now_ns() < end) {
    harness::sleep_ns(kTick);
    hooks_.sample();
    note_flood();
    check_garbage();
    if (check_stalls()) return Finish::kStuck;
    reports_.collect();
    if (failed_enough()) return Finish::kFailed;
    if (hooks_.asked_stop()) return Finish::kAsked;
    if (harness::now_ns() >= next_phase) {
      if (!rotate()) return Finish::kStuck;
      next_phase = harness::now_ns() + static_cast<uint64_t>(params_.phase_length);
    }
  }
  return Finish::kTimeUp;
}

// A failure ends the run, a little later: what caused it may be noted by another thread a moment after.
bool Conductor::failed_enough() const {
  return reports_.first_ns() != 0 && !params_.keep_going &&
         harness::now_ns() > reports_.first_ns() + kSecond / 4;
}

// Parks everybody outside sections, compares the sums, changes the phase. A thread that waits for a long
// grace period may keep the gate from closing; then the sums are compared another time.
bool Conductor::rotate() {
  bool live = true;
  if (world_.gate.close(kSecond / 2)) {
    check_balance();
    live = settle(false);
  }
  to_phase(phase_ + 1);
  world_.gate.open();
  return live;
}

void Conductor::check_balance() {
  if (!world_.ops.reader_balance) return;
  if (const long balance = world_.ops.reader_balance(world_.domain); balance != 0) {
    reports_.add(Check::kCounterMismatch,
                 fmt::format("with every reader outside, locks minus unlocks is {}", balance),
                 "the scheme's own sum");
  }
}

bool Conductor::drained() const {
  const Totals totals = cast_.totals();
  return totals.posted == totals.invoked;
}

// Nobody posts any more: what was posted must be invoked. What the scheme itself calls pending is not lost;
// but at the end of the run it must drain too. False if it does not.
bool Conductor::settle(bool last) {
  uint64_t waited = 0;
  uint64_t seen = 0;
  while (!drained()) {
    harness::sleep_ns(kTick / 10);
    if (world_.ops.advance) world_.ops.advance(world_.domain, nullptr);
    hooks_.sample();
    check_garbage();
    const Totals totals = cast_.totals();
    waited = totals.invoked != seen ? 0 : waited + patience_.tick(harness::now_ns());
    seen = totals.invoked;
    const bool pending = world_.ops.pending_bytes && world_.ops.pending_bytes(world_.domain) > 0;
    if (pending && !last && waited > kSecond / 4) return true;  // the flood and the bound judge that
    if (waited <= static_cast<uint64_t>(params_.stall_limit)) continue;
    reports_.add(
        pending ? Check::kNoForwardProgress : Check::kLostCallback,
        fmt::format("{} callbacks posted, {} invoked, and none for {:.1f} s while nobody posted",
                    totals.posted, totals.invoked, static_cast<double>(waited) / 1e9),
        pending ? "the scheme says that they are still pending" : "the accounts of all posting threads");
    return !pending;
  }
  return true;
}

void Conductor::check_garbage() {
  if (!world_.ops.pending_bytes || params_.garbage_bound == 0) return;
  const uint64_t bytes = world_.ops.pending_bytes(world_.domain);
  if (bytes <= static_cast<uint64_t>(params_.garbage_bound) || bytes <= garbage_max_) return;
  garbage_max_ = bytes;
  reports_.add(Check::kGarbageBound,
               fmt::format("{} bytes wait to be freed, the bound is {}", bytes, params_.garbage_bound),
               "the scheme's own count of pending bytes");
}

bool Conductor::check_stalls() {
  const auto standstill = watch_.tick(patience_.tick(harness::now_ns()));
  if (!standstill) return false;
  reports_.collect();
  reports_.add(standstill->check, standstill->words, "no progress; the stacks tell where");
  return true;
}

bool Conductor::wind_up() {
  world_.stop.store(true, std::memory_order_relaxed);  // relaxed: see World::stopped()
  world_.gate.open();
  if (world_.stutter) world_.stutter->stop();
  uint64_t waited = 0;
  while (!cast_.all_ended()) {
    harness::sleep_ns(kTick / 10);
    hooks_.sample();
    waited += patience_.tick(harness::now_ns());
    if (waited > static_cast<uint64_t>(params_.stall_limit)) {
      reports_.collect();
      reports_.add(Check::kStalledGp, "a thread does not come back from the scheme at the end of the run",
                   "no progress; the stacks tell where");
      return false;
    }
  }
  cast_.join();
  if (reports_.collect()) return true;  // after a failure the accounts say nothing new
  check_balance();
  const bool live = settle(true);
  reports_.collect();
  return live;
}

}  // namespace torture
