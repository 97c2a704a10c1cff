#include "torture/threads/params.hpp"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "harness/base/duration.hpp"
#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"

namespace torture {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = 86'400 * kSecond;
constexpr int64_t kMany = 1'000'000;
using Unit = Knob::Unit;

bool is_integer(const std::string& text, int64_t& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end;
}

int64_t parse_value(const Knob& knob, const std::string& text) {
  int64_t value = 0;
  if (is_integer(text, value)) {
    if (knob.unit != Unit::kDuration) return value;
    if (value <= std::numeric_limits<int64_t>::max() / kSecond && value >= 0) return value * kSecond;
  } else if (knob.unit == Unit::kDuration && !text.empty() &&
             std::isalpha(static_cast<unsigned char>(text.back()))) {
    return std::llround(harness::parse_duration_s(text) * 1e9);
  }
  throw harness::UsageError(
      fmt::format("{}={}: not {}", knob.name, text,
                  knob.unit == Unit::kDuration ? "a duration; write 20ms or 3s" : "a whole number"));
}

std::string range_words(const Knob& knob) {
  if (knob.unit != Unit::kDuration) return fmt::format("{} to {}", knob.least, knob.most);
  return fmt::format("{} to {}", harness::duration_words(static_cast<double>(knob.least) / 1e9),
                     harness::duration_words(static_cast<double>(knob.most) / 1e9));
}

const Knob& find_knob(const std::string& key) {
  std::vector<std::string> names;
  for (const Knob& knob : knobs()) {
    if (key == knob.name) return knob;
    names.emplace_back(knob.name);
  }
  throw harness::UsageError(fmt::format("parameter '{}' is unknown{} (all: srcutorture list params)", key,
                                        harness::did_you_mean(key, names)));
}

}  // namespace

const std::vector<Knob>& knobs() {
  using P = Params;
  static const std::vector<Knob> table = {
      {"torture_type", &P::torture_type, Unit::kWord, 0, 0, "flavour to torture, see: list flavors"},
      {"nreaders", &P::nreaders, Unit::kCount, -1, 31,
       "reader threads; -1: one a CPU, but at least 2 and at most 4"},
      {"nwriters", &P::nwriters, Unit::kCount, 1, 16, "updaters whose elements are checked"},
      {"nfakewriters", &P::nfakewriters, Unit::kCount, 0, 64,
       "updaters that only ask for grace periods and barriers"},
      {"n_barrier_cbs", &P::n_barrier_cbs, Unit::kCount, 0, 64,
       "threads that post for the barrier's check; 0: none"},
      {"irqreader", &P::irqreader, Unit::kCount, 0, 1,
       "readers in signal handlers, where the flavour allows them"},
      {"nmi_calls", &P::nmi_calls, Unit::kCount, 0, 1,
       "posts from signal handlers on readers and updaters, where the flavour allows them"},
      {"n_up_down", &P::n_up_down, Unit::kCount, 0, 256,
       "sections that one thread opens and another closes, at a time; 0: none"},
      {"n_domains", &P::n_domains, Unit::kCount, 0, 1000,
       "further domains that come and go, at most so many at a time; 0: none"},
      {"signal_period", &P::signal_period, Unit::kDuration, 20'000, kDay,
       "mean time between signals to a reader"},
      {"read_exit_burst", &P::read_exit_burst, Unit::kCount, 0, 1000,
       "threads that register, read and exit; 0: none"},
      {"read_exit_delay", &P::read_exit_delay, Unit::kDuration, 1'000'000, kDay,
       "time between bursts of these"},
      {"fwd_progress", &P::fwd_progress, Unit::kCount, 0, 1,
       "flood the scheme with callbacks, see that they drain"},
      {"fwd_progress_holdoff", &P::fwd_progress_holdoff, Unit::kDuration, 1'000'000, kDay,
       "time between floods"},
      {"cbflood_max", &P::cbflood_max, Unit::kCount, 1, 100 * kMany, "callbacks in a flood"},
      {"gp_sync", &P::gp_sync, Unit::kCount, 0, 1,
       "updaters use synchronize; with no gp_ key at 1, all that there is"},
      {"gp_exp", &P::gp_exp, Unit::kCount, 0, 1, "updaters use expedited grace periods"},
      {"gp_poll", &P::gp_poll, Unit::kCount, 0, 1, "updaters start and poll grace periods"},
      {"gp_cond", &P::gp_cond, Unit::kCount, 0, 1,
       "updaters take a cookie and synchronize if it is not done"},
      {"gp_normal", &P::gp_normal, Unit::kCount, 0, 1, "updaters post callbacks"},
      {"stutter", &P::stutter, Unit::kDuration, 0, kDay,
       "all threads pause so long, then run as long; 0: never"},
      {"shuffle_interval", &P::shuffle_interval, Unit::kDuration, 0, kDay,
       "how often another CPU is left idle, with 3 CPUs and more; 0: never"},
      {"stat_interval", &P::stat_interval, Unit::kDuration, kSecond / 10, kDay,
       "time between statistics on the console"},
      {"sample_interval", &P::sample_interval, Unit::kDuration, kSecond / 10, kDay,
       "time between lines of stats.jsonl and gp.hlog"},
      {"strategy", &P::strategy, Unit::kWord, 0, 0,
       "how this project's SRCU defers, see: list strategies; where signal handlers may not post, nmi_calls is 0"},
      {"locked_callers", &P::locked_callers, Unit::kCount, 0, 16,
       "threads that post while they hold locks, on a kernel model that hosts the domain, too; 0: neither"},
      {"locked_contexts", &P::locked_contexts, Unit::kWord, 0, 0,
       "where these post from, see: list contexts; names with blanks in between, or all"},
      {"emulated_cpus", &P::emulated_cpus, Unit::kCount, 2, 64, "the kernel model's"},
      {"preempt_rt", &P::preempt_rt, Unit::kCount, 0, 1, "the kernel model's spinlock_t sleeps"},
      {"self_ipi", &P::self_ipi, Unit::kCount, 0, 1,
       "0: the kernel model's CPUs cannot interrupt themselves, and irq_works wait for the tick"},
      {"tick_runs_irq_works", &P::tick_runs_irq_works, Unit::kCount, 0, 1,
       "0, with self_ipi=0: no irq_work ever runs, as on machines that the kernel took for ones with IPI"},
      {"onoff_interval", &P::onoff_interval, Unit::kDuration, 0, kDay,
       "how long an emulated CPU stays online, and offline; 0: all stay online"},
      {"srcu_locks", &P::srcu_locks, Unit::kWord, 0, 0,
       "what SRCU's locks count as in the kernel model: raw, or spinlock as before v7.0-rc6"},
      {"prove_locking", &P::prove_locking, Unit::kCount, 0, 1,
       "the prover watches all locks of this project's SRCU; on if there are locked_callers"},
      {"nmi_strategies", &P::nmi_strategies, Unit::kWord, 0, 0,
       "which ones session nmi-step steps: all, names with blanks in between, or some: defer_irqoff, and of each "
       "other that claims to bear NMIs the posts and drains of an idle domain"},
      {"session", &P::session, Unit::kWord, 0, 0,
       "torture, or nmi-step: an NMI on top of every instruction, which knows no other parameter"},
      {"workload", &P::workload, Unit::kWord, 0, 0, "what readers walk: pointer, list or hash"},
      {"phases", &P::phases, Unit::kWord, 0, 0, "in turn: ordering races liveness control"},
      {"phase_length", &P::phase_length, Unit::kDuration, kSecond / 100, kDay, "how long each lasts"},
      {"garbage_bound", &P::garbage_bound, Unit::kBytes, 0, int64_t{1} << 50,
       "bytes that may wait in a scheme that reports them; 0: no bound"},
      {"stall_limit", &P::stall_limit, Unit::kDuration, kSecond / 10, kDay,
       "a grace period or a drain that lasts longer is a failure, in phase liveness after half of it (time "
       "when the machine is overloaded counts less)"},
      {"least_gps", &P::least_gps, Unit::kCount, 0, 1'000 * kMany,
       "with fewer grace periods a run is inconclusive"},
      {"least_reads", &P::least_reads, Unit::kCount, 0, 1'000 * kMany,
       "with fewer sections a run is inconclusive"},
      {"least_overlaps", &P::least_overlaps, Unit::kCount, 0, 1'000 * kMany,
       "with fewer sections in which a grace period was waited for, of those that are looked at (one in 4 to 64), a run is "
       "inconclusive"},
      {"keep_going", &P::keep_going, Unit::kCount, 0, 1,
       "go on after a failure, to see how often it happens"},
      {"place", &P::place, Unit::kWord, 0, 0, "placement of the threads, see: list placements"},
  };
  return table;
}

void set_param(Params& params, const std::string& key, const std::string& value) {
  const Knob& knob = find_knob(key);
  if (const auto* word = std::get_if<std::string Params::*>(&knob.member)) {
    params.*(*word) = value;
    return;
  }
  const int64_t number = parse_value(knob, value);
  if (number < knob.least || number > knob.most) {
    throw harness::UsageError(fmt::format("{}={} is out of range: {}", key, value, range_words(knob)));
  }
  params.*std::get<int64_t Params::*>(knob.member) = number;
}

std::string param_text(const Params& params, const Knob& knob) {
  if (const auto* word = std::get_if<std::string Params::*>(&knob.member)) return params.*(*word);
  const int64_t value = params.*std::get<int64_t Params::*>(knob.member);
  if (knob.unit != Unit::kDuration || value % kSecond == 0) {
    return fmt::format("{}", knob.unit == Unit::kDuration ? value / kSecond : value);
  }
  return value % 1'000'000 == 0 ? fmt::format("{}ms", value / 1'000'000) : fmt::format("{}us", value / 1'000);
}

}  // namespace torture
