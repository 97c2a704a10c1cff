// A scenario's parameters: rcutorture's names where it has them, one table for files, command line and help.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace torture {

/// The merged parameters of one scenario. Durations are in ns, sizes in bytes.
struct Params {
  std::string torture_type = "urcu-memb";
  int64_t nreaders = -1;
  int64_t nwriters = 1;
  int64_t nfakewriters = 1;
  int64_t n_barrier_cbs = 2;
  int64_t n_up_down = 0;
  int64_t n_domains = 0;
  int64_t irqreader = 1;
  int64_t nmi_calls = 1;
  int64_t signal_period = 200'000;
  int64_t read_exit_burst = 4;
  int64_t read_exit_delay = 1'000'000'000;
  int64_t fwd_progress = 1;
  int64_t fwd_progress_holdoff = 2'000'000'000;
  int64_t cbflood_max = 50'000;
  int64_t gp_sync = 0, gp_exp = 0, gp_poll = 0, gp_cond = 0, gp_normal = 0;
  int64_t stutter = 20'000'000;
  int64_t shuffle_interval = 3'000'000'000;
  int64_t stat_interval = 15'000'000'000;
  int64_t sample_interval = 1'000'000'000;
  std::string strategy = "defer_irqoff";
  int64_t locked_callers = 0;
  std::string locked_contexts = "all";
  int64_t emulated_cpus = 2;
  int64_t preempt_rt = 0;
  int64_t self_ipi = 1;
  int64_t tick_runs_irq_works = 1;
  int64_t onoff_interval = 0;
  std::string srcu_locks = "raw";
  int64_t prove_locking = 0;
  std::string nmi_strategies = "some";
  std::string session = "torture";
  std::string workload = "pointer";
  std::string phases = "ordering races liveness control";
  int64_t phase_length = 1'000'000'000;
  int64_t garbage_bound = 32 << 20;
  int64_t stall_limit = 4'000'000'000;
  int64_t least_gps = 50;
  int64_t least_reads = 1000;
  int64_t least_overlaps = 10;
  int64_t keep_going = 0;
  std::string place = "scatter";
};

/// One key of a scenario file.
struct Knob {
  enum class Unit { kWord, kCount, kDuration, kBytes };
  const char* name;
  std::variant<std::string Params::*, int64_t Params::*> member;
  Unit unit;
  int64_t least, most;
  const char* sentence;
};

/// All keys, in the order in which they are written down.
const std::vector<Knob>& knobs();

/// Sets one key from text ("nreaders=4" split at the equals sign). Durations take "20ms", "3s"; a bare number
/// is seconds, as in rcutorture. UsageError naming the nearest keys, or the range.
void set_param(Params& params, const std::string& key, const std::string& value);

/// What `list params` and scenario.toml show: the value as text that set_param takes.
std::string param_text(const Params& params, const Knob& knob);

}  // namespace torture
