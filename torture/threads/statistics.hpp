// Samples of the running torture: stats.jsonl, gp.hlog and the console's statistics.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "harness/record/files.hpp"
#include "harness/record/hdr_log.hpp"
#include "harness/record/histogram.hpp"
#include "harness/threads/pin_watch.hpp"
#include "harness/threads/sched_jitter.hpp"
#include "torture/threads/cast.hpp"
#include "torture/threads/console.hpp"
#include "torture/threads/reports.hpp"

namespace torture {

/// What is measured of the machine, not of the scheme.
struct Machine {
  harness::PinWatch& pins;
  const harness::SchedJitter& jitter;
  std::function<nlohmann::ordered_json()> injectors;  ///< How often each has fired.
};

/// What verdicts say of latencies.
nlohmann::ordered_json latency_json(const harness::Counts& counts);

/// Written by the conductor between its other duties; memory stays the same however long the run.
class Statistics {
 public:
  Statistics(const std::filesystem::path& scenario_dir, const World& world, const Cast& cast,
             const Params& params, Console& console, const Reports& reports, const Machine& machine,
             uint64_t start_ns);

  /// Writes what is due: a line of stats.jsonl and of gp.hlog every sample_interval, console lines every
  /// stat_interval. Cheap when nothing is. Looks after the pinned threads with each sample: Broken if one was
  /// moved.
  void tick();
  /// The last, cut-short interval.
  void finish();

  uint64_t pending_bytes_max() const { return pending_bytes_max_; }
  /// Grace-period latencies of the whole run, of both kinds.
  harness::Counts grace_periods() const;

 private:
  struct Tagged {
    const char* tag;
    harness::Counts before;
  };
  harness::Counts now(const char* tag) const;
  void sample(uint64_t at_ns);
  void tell_console();

  const World& world_;
  const Cast& cast_;
  const Params& params_;
  Console& console_;
  const Reports& reports_;
  const Machine machine_;
  uint64_t start_ns_, last_sample_ns_, next_stat_ns_;
  harness::Appender stats_;
  harness::HdrLog log_;
  std::vector<Tagged> tagged_;
  uint64_t pending_bytes_max_ = 0;
};

}  // namespace torture
