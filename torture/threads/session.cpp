#include "torture/threads/session.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <set>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/base/say.hpp"
#include "harness/engine/chaos/chaos.hpp"
#include "harness/record/files.hpp"
#include "harness/record/hdr_log.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/threads/shuffle.hpp"
#include "harness/topology/bind.hpp"
#include "harness/topology/cpu_list.hpp"
#include "torture/threads/conductor.hpp"
#include "torture/threads/statistics.hpp"

namespace torture {
namespace {

using Json = nlohmann::ordered_json;

const char* finish_name(Finish finish) {
  switch (finish) {
    case Finish::kTimeUp:
      return "time";
    case Finish::kAsked:
      return "asked";
    case Finish::kFailed:
      return "failure";
    case Finish::kStuck:
      return "stuck";
  }
  return "?";
}

/// What happens only around the threads (stutter, shuffle, signals, posts under locks), or inside the scheme: chaos.
struct Injectors {
  Injectors(const SessionPlan& plan, const Roles& roles, const World& world, const Company* with, Events& events)
      : company(with && with->threads() > 0 ? with : nullptr),
        shuffle(plan.pus, seconds(plan.params.shuffle_interval == 0 ? 1 : plan.params.shuffle_interval),
                [&events](std::optional<unsigned> idle) {
                  events.say("shuffle", {{"idle_pu", idle ? Json(*idle) : Json(nullptr)}});
                }) {
    if (plan.params.stutter > 0) {
      const double s = seconds(plan.params.stutter);
      stutter.emplace(s, s, noted(s, events));
    }
    if (roles.signals) {
      const auto period = static_cast<uint64_t>(plan.params.signal_period);
      signals.emplace(period / 2, period + period / 2, plan.seed);
    }
    if (plan.chaos) {
      chaos.emplace(plan.seed, [&world] {  // a wait drains the store buffer
        const Phase* phase = world.phase.load(std::memory_order_acquire);
        return phase && phase->stuffing;
      });
    }
  }

  static double seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

  /// Short pauses are too many for events.jsonl: their number stands in the last event, and each phase says
  /// whether it has them.
  static harness::Stutter::Report noted(double pause_s, Events& events) {
    if (pause_s < 0.5) return {};
    return [&events](bool paused, uint64_t at_ns) { events.say_at(at_ns, "stutter", {{"on", paused}}); };
  }

  /// Those that must have fired for the run to count.
  Json wanted(const SessionPlan& plan) const {
    Json names = Json::array();
    if (signals) names.push_back("signals");
    if (stutter && plan.duration_ns > 4 * static_cast<uint64_t>(plan.params.stutter))
      names.push_back("stutter");
    if (chaos) names.push_back("chaos");
    if (company) names.push_back("locked_posts");
    return names;
  }

  Json counts() const {
    Json all = {{"signals", signals ? signals->delivered() : 0},
                {"stutter", stutter ? stutter->firings() : 0},
                {"shuffle", shuffle.firings()}};
    if (company) all["locked_posts"] = company->posted();
    if (!chaos) return all;
    const engine::chaos::Counts counts = chaos->counts();
    all["chaos"] = counts.all();
    all["chaos_yield"] = counts.yields;
    all["chaos_spin"] = counts.spins;
    all["chaos_sleep"] = counts.sleeps;
    all["chaos_epochs"] = chaos->epochs();
    return all;
  }

  const Company* company;  ///< Null if nobody in it posts.
  std::optional<harness::SignalInjector> signals;
  std::optional<harness::Stutter> stutter;
  std::optional<engine::chaos::Chaos> chaos;
  harness::Shuffle shuffle;
};

/// What was done to whom: on the console in a line, and by thread in the events.
void note_chaos(const Injectors& injectors, Console& console, Events& events) {
  if (!injectors.chaos) return;
  const engine::chaos::Counts sum = injectors.chaos->counts();
  const auto [quiet, uniform, swarm, focus] = injectors.chaos->epochs_by_kind();
  console.note(fmt::format("chaos: {} yields, {} spins, {} sleeps in {} quiet, {} uniform, {} swarm and {} focus epochs",
                           sum.yields, sum.spins, sum.sleeps, quiet, uniform, swarm, focus));
  Json threads = Json::array();
  for (const engine::chaos::Counts& one : injectors.chaos->by_thread())
    threads.push_back({{"yield", one.yields}, {"spin", one.spins}, {"sleep", one.sleeps}});
  events.say("chaos", {{"quiet", quiet}, {"uniform", uniform}, {"swarm", swarm}, {"focus", focus}, {"threads", threads}});
}

void start_shuffle(Injectors& injectors, const Cast& cast, const SessionPlan& plan, Console& console) {
  if (plan.params.shuffle_interval == 0) return;
  if (plan.pus.size() < 3)
    return console.note("no shuffle: with fewer than three CPUs nothing would run in parallel");
  if (const std::string why = injectors.shuffle.why_not(); !why.empty()) {
    console.note("no shuffle: " + why);
    return;
  }
  for (const auto& thread : cast.threads()) injectors.shuffle.enroll(thread->tid(), thread->pu());
  injectors.shuffle.start();
}

Json summary(const Cast& cast, const Statistics& statistics, const harness::Counts& latencies,
             const Reports& reports, const Injectors& injectors, const harness::PinWatch& pins, Finish finish) {
  const Totals t = cast.totals();
  return {{"finish", finish_name(finish)},
          {"failures", reports.counts()},
          {"counts",
           {{"reads", t.reads},
            {"overlapping_reads", t.overlapping},
            {"grace_periods", t.gps},
            {"callbacks_posted", t.posted},
            {"callbacks_invoked", t.invoked},
            {"barriers", t.barriers},
            {"floods", t.floods},
            {"read_exits", t.read_exits},
            {"signal_reads", t.signal_reads},
            {"signal_posts", t.signal_posts},
            {"up_downs", t.up_downs},
            {"domains", t.domains},
            {"migrations", pins.migrations()},
            {"pending_bytes_max", statistics.pending_bytes_max()}}},
          {"locked_posts", cast.company() ? cast.company()->counts() : Json::object()},
          {"locked_invoked", cast.company() ? cast.company()->invoked_counts() : Json::object()},
          {"pipe", t.pipe},
          {"batch", t.batch},
          {"injectors", injectors.counts()},
          {"gp_latency_ns", latency_json(latencies)}};
}

/// CPUs that threads sit on.
std::vector<unsigned> used_pus(const std::vector<harness::Seat>& seats) {
  std::set<unsigned> used;
  for (const harness::Seat& seat : seats)
    if (seat.pu) used.insert(*seat.pu);
  return {used.begin(), used.end()};
}

void watch_pins(harness::PinWatch& pins, const Cast& cast, const harness::SchedJitter& jitter) {
  for (const auto& thread : cast.threads()) pins.add(*thread);
  for (const harness::NamedThread& thread : jitter.threads()) pins.add(thread);
}

/// Freezes all threads where they are; returns once the supervisor has taken their stacks and let them go on.
void hold_still(harness::ProgressBoard& board) {
  board.ask_help();
  kill(getpid(), SIGSTOP);
  while (!board.help_given()) harness::sleep_ns(10'000'000);
}

/// Another thread crashed and waits for the supervisor to look: what stalls meanwhile is no failure of its
/// own.
void stand_still_in_a_crash(const harness::ProgressBoard& board) {
  while (board.help_asked()) pause();
}

/// For the last words of a process that has no memory left to say them.
std::unique_ptr<char[]> last_reserve;

/// Ends the process at once: threads are running and cannot be unwound.
[[noreturn]] void give_up(Events& events, const harness::Broken& broken) {
  static std::atomic<bool> given_up{false};
  // relaxed: it only picks one of those who want to; the others wait for the end
  while (given_up.exchange(true, std::memory_order_relaxed)) pause();
  last_reserve.reset();
  try {
    harness::say(stderr, "srcutorture: {}\n", broken.what());
    std::fflush(stderr);
    events.say("broken", {{"message", broken.what()}});
  } catch (
      const std::exception&) {  // no room on the disk or in memory for this line; the exit status remains
  }
  _exit(3);
}

// Threads without a seat too: the conductor, the injectors, the scheme's own helpers. Other PUs may be
// another torture's.
void stay_on(const std::vector<unsigned>& pus) {
  const auto outside = [&pus](unsigned cpu) { return std::ranges::find(pus, cpu) == pus.end(); };
  if (std::ranges::none_of(harness::affinity(), outside)) return;
  if (const std::string why = harness::confine(0, pus); !why.empty())
    throw harness::Broken(fmt::format("cannot keep this torture on the PUs {}: {}; run with --jobs 1",
                                      harness::cpu_list_text(pus), why));
}

/// A scheme that cannot start its own thread may abort, and that would look like a crash of its making.
void prove_that_a_thread_can_be_had() {
  harness::NamedThread probe("probe", std::nullopt, [] {});
  probe.join();
  // It counts until the kernel has taken it off the list.
  while (harness::proc_stat(getpid(), probe.tid())) harness::sleep_ns(1'000'000);
}

// What the torture takes from the machine besides its threads: this one conducts and records.
double note_own_cost(Console& console, double torture_s) {
  const double cpu_s = static_cast<double>(harness::thread_cpu_ns(gettid())) / 1e9;
  console.note(fmt::format("conductor and recorder took {:.3f} s of CPU time, {:.2f} % of one core", cpu_s,
                           torture_s > 0 ? 100 * cpu_s / torture_s : 0));
  return cpu_s;
}

Roles roles_of(const SessionPlan& plan) {
  Roles roles = Roles::of(plan.ops, plan.params, plan.cpus);
  if (plan.stop_latency_ns > 0 && grace_kinds(plan.ops, plan.params) == GraceKinds{GraceKind::kCall})
    roles.left_out.emplace_back("no --stop-latency: nobody waits for a grace period, all are for callbacks");
  return roles;
}

void torture_now(const SessionPlan& plan, Events& events) {
  // First of all: whoever hangs in the scheme from here on, in create() already, is seen by the supervisor.
  harness::ProgressBoard::Slot& heartbeat = plan.board.claim("conductor");
  stay_on(plan.pus);
  prove_that_a_thread_can_be_had();
  const std::unique_ptr<Company> company = plan.company ? plan.company() : nullptr;
  World world{plan.ops, plan.ops.create(), plan.seed};
  world.give_up = [&events](const harness::Broken& broken) { give_up(events, broken); };
  if (!world.domain && plan.ops.destroy) throw harness::Broken("the scheme's create() returned null");
  const Roles roles = roles_of(plan);
  Injectors injectors(plan, roles, world, company.get(), events);
  world.stutter = injectors.stutter ? &*injectors.stutter : nullptr;
  const std::vector<Phase> first = parse_phases(plan.params.phases, plan.cpus);
  world.phase.store(&first.front(), std::memory_order_relaxed);  // relaxed: no thread yet
  Cast cast(world, plan.params, roles, injectors.signals ? &*injectors.signals : nullptr);
  if (company) cast.take_along(*company);
  Reports reports(cast, events);
  Console console(plan.dir, plan.ops, plan.params, roles, static_cast<double>(plan.duration_ns) / 1e9);
  harness::PinWatch pins(injectors.shuffle);
  const harness::SchedJitter jitter(used_pus(plan.seats), plan.seed);
  Statistics statistics(plan.dir, world, cast, plan.params, console, reports,
                        {pins, jitter, [&injectors] { return injectors.counts(); }}, events.start_ns());
  Conductor conductor(world, cast, plan.params, first, plan.stop_latency_ns, events, reports,
                      {[&] {
                         stand_still_in_a_crash(plan.board);
                         heartbeat.beat();
                         statistics.tick();
                       },
                       [&] { return plan.board.stop_requested(); }, [&] { console.state(world.domain); }});
  const auto body = [&] {
    console.start(cast.totals());
    for (const std::string& words : plan.notes) console.note(words);
    world.gate.close(0);
    cast.start(plan.seats);
    watch_pins(pins, cast, jitter);
    if (injectors.stutter) injectors.stutter->start();
    start_shuffle(injectors, cast, plan, console);
    events.say("torture", {{"left_out", roles.left_out}, {"injectors", injectors.wanted(plan)}});
    const uint64_t begin = harness::now_ns();

    const Finish finish = conductor.run(plan.duration_ns);
    const uint64_t ended = harness::now_ns();
    injectors.shuffle.stop();
    if (reports.failures() == 0) pins.look();  // a failure stands, wherever threads were
    pins.stop();
    const bool live = finish != Finish::kStuck && conductor.wind_up();
    statistics.finish();
    note_chaos(injectors, console, events);
    console.end(cast.totals(), reports.failures() == 0);
    const harness::Counts latencies = statistics.grace_periods();
    Json last = summary(cast, statistics, latencies, reports, injectors, pins, live ? finish : Finish::kStuck);
    const double torture_s = static_cast<double>(ended - begin) / 1e9;
    last["torture_s"] = torture_s;
    last["conductor_cpu_s"] = note_own_cost(console, torture_s);
    events.say("end", last);
    // Up to here lines were appended, which is quick; what waits for the disk comes after the stacks.
    if (!live) hold_still(plan.board);
    harness::write_once(plan.dir / "gp.hgrm", harness::hgrm_text(latencies, 1000));
    if (!live) _exit(0);  // the threads cannot be joined
  };
  try {
    body();
  } catch (const std::exception&) {  // here, before the threads are waited for, which do not know
    give_up(events, why_broken("the conductor"));
  }
  if (plan.ops.destroy) plan.ops.destroy(world.domain);
  heartbeat.rest();
}

}  // namespace

std::string cannot_run(const Ops& ops, const Params& params) {
  if (grace_kinds(ops, params).empty()) {
    return fmt::format("flavour {} offers none of the grace-period kinds that the scenario asks for",
                       ops.name);
  }
  return {};
}

void run_guarded(const SessionPlan& plan, std::string_view who, const std::function<void(Events&)>& body) {
  Events events(plan.dir, plan.start_ns);
  try {
    last_reserve = std::make_unique_for_overwrite<char[]>(4 << 20);
    body(events);
  } catch (const std::exception&) {
    give_up(events, why_broken(who));
  }
}

void run_session(const SessionPlan& plan) {
  run_guarded(plan, "the conductor", [&plan](Events& events) { torture_now(plan, events); });
}

}  // namespace torture
