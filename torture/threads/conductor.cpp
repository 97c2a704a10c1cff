#include "torture/threads/conductor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/clock.hpp"

namespace torture {
namespace {

constexpr uint64_t kTick = 10'000'000;
constexpr uint64_t kSecond = 1'000'000'000;
constexpr Inquiry::Looks kLooksAtStall{.count = 5, .gap_ns = 20'000'000, .most_ns = kSecond};

// A grace period that is merely slow may end soon: the looks take half as long as it has lasted.
Inquiry::Looks looks_at_latency(uint64_t limit_ns) {
  return {.count = 5,
          .gap_ns = std::clamp<uint64_t>(limit_ns / 10, 1'000'000, 20'000'000),
          .most_ns = std::min(limit_ns / 2, kSecond)};
}

double ms(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

}  // namespace

Conductor::Conductor(World& world, Cast& cast, const Params& params, const std::vector<Phase>& phases,
                     uint64_t stop_latency_ns, Events& events, Reports& reports, Hooks hooks)
    : world_(world),
      cast_(cast),
      params_(params),
      events_(events),
      reports_(reports),
      hooks_(std::move(hooks)),
      phases_(phases),
      patience_(kTick),
      watch_(world, cast, static_cast<uint64_t>(params.stall_limit)),
      inquiry_(cast) {
  if (stop_latency_ns > 0) latency_.emplace(cast.waiters(), stop_latency_ns);
}

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

uint64_t Conductor::phase_end() const {
  return harness::now_ns() + phases_[phase_].lasts * static_cast<uint64_t>(params_.phase_length);
}

Finish Conductor::run(uint64_t duration_ns) {
  to_phase(0);
  world_.gate.open();
  const uint64_t end = harness::now_ns() + duration_ns;
  uint64_t next_phase = phase_end();
  while (harness::now_ns() < end) {
    if (!rest()) return Finish::kStuck;
    hooks_.sample();
    note_flood();
    check_garbage();
    compare_sums();
    if (check_company() || check_stalls()) return Finish::kStuck;
    reports_.collect();
    if (failed_enough()) return Finish::kFailed;
    if (hooks_.asked_stop()) return Finish::kAsked;
    if (harness::now_ns() >= next_phase) {
      if (!rotate()) return Finish::kStuck;
      next_phase = phase_end();
    }
  }
  return Finish::kTimeUp;
}

// One tick, in smaller ones where grace periods are timed. False if one takes too long.
bool Conductor::rest() {
  const uint64_t end = harness::now_ns() + kTick;
  do {
    harness::sleep_ns(latency_ ? latency_->tick_ns() : kTick);
    if (check_latency()) return false;
  } while (harness::now_ns() < end);
  return true;
}

// A failure ends the run, a little later: what caused it may be noted by another thread a moment after.
bool Conductor::failed_enough() const {
  return reports_.first_ns() != 0 && !params_.keep_going &&
         harness::now_ns() > reports_.first_ns() + kSecond / 4;
}

// Parks everybody outside sections, compares the sums, changes the phase. A thread that waits for a long
// grace period may keep the gate from closing; then the sums are compared another time. False if a thread
// hangs or a grace period takes too long.
bool Conductor::rotate() {
  bool live = true, closed = false;
  const uint64_t end = harness::now_ns() + kSecond / 2;
  while (!(closed = world_.gate.close(latency_ ? latency_->tick_ns() : kSecond / 2)) &&
         harness::now_ns() < end) {
    if (check_latency()) return false;
  }
  if (closed) {
    check_balance();
    live = settle(false);
  }
  to_phase(phase_ + 1);
  world_.gate.open();
  return live;
}

// Every reader is parked outside. The scheme may open sections of its own for a moment, as some call()s do: then the sum
// is soon even.
void Conductor::check_balance() {
  if (!world_.ops.reader_balance) return;
  long balance = 0;
  for (uint64_t waited = 0; (balance = world_.ops.reader_balance(world_.domain)) != 0 && waited < kSecond;
       waited += patience_.tick(harness::now_ns())) {
    harness::sleep_ns(kTick / 10);
    hooks_.sample();
  }
  if (balance != 0) {
    reports_.add(Check::kCounterMismatch,
                 fmt::format("with every reader outside, locks minus unlocks is {}", balance),
                 "the scheme's own sum");
  }
}

// Parks the readers alone, for a moment: a lost increment holds up updaters for ever, and they would not park any more.
void Conductor::compare_sums() {
  if (!world_.ops.reader_balance || !phases_[phase_].private_flags) return;
  if (world_.readers.close(kSecond / 10)) check_balance();
  world_.readers.open();
}

bool Conductor::drained() const {
  const Totals totals = cast_.totals();
  return totals.posted == totals.invoked;
}

// Of the posts that were made in named contexts, those whose callbacks have not run.
std::string Conductor::missing_words() const {
  const std::string missing = cast_.company() ? cast_.company()->missing() : "";
  return missing.empty() ? "" : "; by context: " + missing;
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
        (pending ? "the scheme says that they are still pending" : "the accounts of all posting threads") + missing_words());
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

// At half the limit the readers are asked for the first time, so that something is known even if it goes on.
bool Conductor::check_stalls() {
  const auto standstill = watch_.tick(patience_.tick(harness::now_ns()));
  if (!standstill) return false;
  const auto half = static_cast<uint64_t>(params_.stall_limit) / 2;
  // What stops together is asked about once.
  if (!standstill->over && harness::now_ns() < suspected_ns_ + half) return false;
  const std::string words =
      fmt::format("{}; {}", standstill->words, who_holds_it_up(kLooksAtStall, 0, standstill->moved));
  suspected_ns_ = harness::now_ns();
  if (!standstill->over) {
    events_.say("suspicion", {{"check", check_name(standstill->check)}, {"message", words}});
    return false;
  }
  reports_.collect();
  reports_.add(standstill->check, words, "no progress; the stacks tell where");
  return true;
}

// What the company found; true if threads hang.
bool Conductor::check_company() {
  if (!cast_.company()) return false;
  const auto trouble = cast_.company()->trouble();
  if (!trouble) return false;
  reports_.collect();
  reports_.add(trouble->check, trouble->message, trouble->evidence);
  return trouble->stuck;
}

bool Conductor::check_latency() {
  if (!latency_) return false;
  const auto slow = latency_->tick(harness::now_ns());
  if (!slow) return false;
  const Grace& grace = *slow->waiter.grace;
  const auto over = [&] { return grace.since_ns() != slow->since_ns; };
  const std::string who = who_holds_it_up(looks_at_latency(latency_->limit_ns()), grace.tid(), over);
  reports_.collect();
  reports_.add(
      Check::kStalledGp,
      fmt::format(
          "{} has waited {:.1f} ms for a grace period in phase {} (limit {:g} ms, --stop-latency); {}",
          slow->waiter.name, ms(slow->waited_ns), world_.now().name, ms(latency_->limit_ns()), who),
      "the waiting thread's clock; the stacks tell where");
  return true;
}

// Before anything is judged: sample() does not return if a thread crashed meanwhile, which explains the rest.
std::string Conductor::who_holds_it_up(const Inquiry::Looks& looks, pid_t waiting,
                                       const std::function<bool()>& over) {
  std::string who = inquiry_.ask(looks, waiting, over);
  hooks_.sample();
  hooks_.suspicious();
  return who;
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
    if (check_company()) return false;
    if (waited > static_cast<uint64_t>(params_.stall_limit)) {
      reports_.collect();
      const std::string who = who_holds_it_up(kLooksAtStall, 0, [this] { return cast_.all_ended(); });
      reports_.add(Check::kStalledGp,
                   "a thread does not come back from the scheme at the end of the run; " + who,
                   "no progress; the stacks tell where");
      return false;
    }
  }
  cast_.join();
  while (check_company()) {
  }
  if (reports_.collect()) return true;  // after a failure the accounts say nothing new
  check_balance();
  const bool live = settle(true);
  while (check_company()) {
  }
  reports_.collect();
  return live;
}

}  // namespace torture
