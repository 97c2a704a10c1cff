#include "torture/threads/statistics.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "harness/base/clock.hpp"
#include "harness/supervise/proc.hpp"

namespace torture {
namespace {

constexpr const char* kNormal = "gp.normal";
constexpr const char* kExpedited = "gp.expedited";
constexpr const char* kCallback = "cb.delay";
constexpr const char* kBarrier = "barrier";
constexpr const char* kJitter = "sched.jitter";

double seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace

nlohmann::ordered_json latency_json(const harness::Counts& counts) {
  return {{"p50", counts.value_at(50)},
          {"p99", counts.value_at(99)},
          {"p999", counts.value_at(99.9)},
          {"max", counts.max()},
          {"count", counts.total()}};
}

Statistics::Statistics(const std::filesystem::path& scenario_dir, const World& world, const Cast& cast,
                       const Params& params, Console& console, const Reports& reports, const Machine& machine,
                       uint64_t start_ns)
    : world_(world),
      cast_(cast),
      params_(params),
      console_(console),
      reports_(reports),
      machine_(machine),
      start_ns_(start_ns),
      last_sample_ns_(harness::now_ns()),
      next_stat_ns_(start_ns + static_cast<uint64_t>(params.stat_interval)),
      stats_(scenario_dir / "stats.jsonl"),
      log_(scenario_dir / "gp.hlog",
           seconds(harness::now_ns(CLOCK_REALTIME) - (harness::now_ns() - start_ns)),
           "values are nanoseconds, Interval_Max is milliseconds") {
  for (const char* tag : {kNormal, kExpedited, kCallback, kBarrier, kJitter}) {
    tagged_.push_back({tag, harness::Counts(harness::Layout(2))});
  }
}

harness::Counts Statistics::now(const char* tag) const {
  if (tag == kJitter) return machine_.jitter.snapshot();
  harness::Counts sum{harness::Layout(2)};
  if (tag == kNormal || tag == kExpedited) {
    for (const Waiter& waiter : cast_.waiters()) {
      const Grace& grace = *waiter.grace;
      sum.add((tag == kNormal ? grace.normal() : grace.expedited()).snapshot());
    }
  } else if (tag == kCallback) {
    for (const auto& updater : cast_.updaters()) sum.add(updater->callback_delay().snapshot());
  } else if (cast_.barrier()) {
    sum.add(cast_.barrier()->latency().snapshot());
  }
  return sum;
}

harness::Counts Statistics::grace_periods() const {
  harness::Counts sum = now(kNormal);
  sum.add(now(kExpedited));
  return sum;
}

void Statistics::tick() {
  const uint64_t at = harness::now_ns();
  if (at - last_sample_ns_ >= static_cast<uint64_t>(params_.sample_interval)) sample(at);
  if (at >= next_stat_ns_) {
    next_stat_ns_ = at + static_cast<uint64_t>(params_.stat_interval);
    tell_console();
  }
}

// A standing version alone is no failure: the interval may be short, or the machine busy. The checks decide.
void Statistics::tell_console() {
  const Totals totals = cast_.totals();
  // relaxed: the address alone is told
  const void* current = cast_.stations().front()->bucket(0).load(std::memory_order_relaxed);
  const bool moved = console_.statistics(
      totals, current,
      {reports_.failures(), reports_.failures(Check::kMemoryOrder), reports_.failures(Check::kEarlyBarrier)});
  const uint64_t stalls = reports_.failures(Check::kStalledGp) + reports_.failures(Check::kNoForwardProgress);
  if (moved || stalls == 0) return;
  const Updater& updater = *cast_.updaters().front();
  const auto [doing, code] = updater.grace().since_ns() ? std::pair("GRACE_PERIOD", 1)
                             : updater.starving()      ? std::pair("NO_ELEMENT", 2)
                                                       : std::pair("RUNNING", 0);
  const auto thread =
      std::ranges::find(cast_.threads(), "updater/0", [](const auto& t) { return t->name(); });
  const auto stat = harness::proc_stat(getpid(), (*thread)->tid());
  console_.writer_stall(doing, code, totals, stat ? stat->state : 'X', stat ? stat->processor : -1);
}

// Latencies in stats.jsonl are those of the interval, everything else is cumulative; so are, in the end, the latencies and the
// injectors' work as a verdict has them, which is all that is known of them if this sample is the last.
void Statistics::sample(uint64_t at_ns) {
  machine_.pins.look();
  const Totals t = cast_.totals();
  uint64_t pending = t.pending_bytes;
  if (world_.ops.pending_bytes) pending = std::max(pending, world_.ops.pending_bytes(world_.domain));
  pending_bytes_max_ = std::max(pending_bytes_max_, pending);
  harness::Counts latency{harness::Layout(2)}, whole{harness::Layout(2)};
  for (Tagged& tagged : tagged_) {
    harness::Counts counts = now(tagged.tag);
    const bool of_grace_periods = tagged.tag == kNormal || tagged.tag == kExpedited;
    if (of_grace_periods) whole.add(counts);
    harness::Counts interval = counts;
    interval.subtract(tagged.before);
    tagged.before = std::move(counts);
    if (interval.total() == 0) continue;
    log_.interval(tagged.tag, seconds(last_sample_ns_ - start_ns_), seconds(at_ns - last_sample_ns_),
                  interval);
    if (of_grace_periods) latency.add(interval);
  }
  const nlohmann::ordered_json line = {{"t_s", seconds(at_ns - start_ns_)},
                                       {"gps", t.gps},
                                       {"reads", t.reads},
                                       {"posted", t.posted},
                                       {"invoked", t.invoked},
                                       {"pending", t.posted > t.invoked ? t.posted - t.invoked : 0},
                                       {"pending_bytes", pending},
                                       {"migrations", machine_.pins.migrations()},
                                       {"failures", reports_.failures()},
                                       {"pipe", t.pipe},
                                       {"batch", t.batch},
                                       {"gp_p50_ns", latency.value_at(50)},
                                       {"gp_p99_ns", latency.value_at(99)},
                                       {"gp_max_ns", latency.max()},
                                       {"pending_bytes_max", pending_bytes_max_},
                                       {"injectors", machine_.injectors()},
                                       {"gp_latency_ns", latency_json(whole)}};
  stats_.line(line.dump());
  last_sample_ns_ = at_ns;
}

void Statistics::finish() {
  const uint64_t at = harness::now_ns();
  if (at > last_sample_ns_) sample(at);
  tell_console();
}

}  // namespace torture
