#include "torture/kernel/bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "torture/kernel/benchmarks.hpp"
#include "torture/kernel/cells.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/natural.hpp"
#include "torture/kernel/predictions.hpp"

#ifndef SRCUTORTURE_PREDICTIONS
#error "the build gives SRCUTORTURE_PREDICTIONS, the source tree's file"
#endif

namespace torture::kernel {
namespace {

constexpr size_t kLongest = 32;

std::vector<unsigned> real_cpus() {
  std::vector<unsigned> pus;
  for (unsigned pu = 0; pu < CPU_SETSIZE; ++pu)
    if (CPU_ISSET(pu, &srcu_bench::all_cpus)) pus.push_back(pu);
  return pus;
}

bool has_entry_of_its_own(const std::string& strategy) {
  return strategy.starts_with("nolock:") || strategy == "bpf_defer";
}

void post_by_own_node(srcu_struct* ssp, rcu_head* head, rcu_callback_t func) {
  bpf_defer(&reinterpret_cast<HeadWithNode*>(head)->node, call_srcu, ssp, head, func);
}

void (*post_of(const std::string& strategy, Entry entry))(srcu_struct*, rcu_head*, rcu_callback_t) {
  if (entry == Entry::kOwnNode) return post_by_own_node;
  return entry == Entry::kAsMeant && has_entry_of_its_own(strategy) ? call_srcu_nolock : call_srcu;
}

// An idle domain, own CPU's lock, nobody in a hurry.
bool lives(const Predictions& predictions, const std::string& strategy, const std::string& context) {
  const Prediction* const found = predictions.of({context, strategy, "own", "same", "normal", false});
  return found && found->predicted == "ok";
}

}  // namespace

BenchMachine::BenchMachine(unsigned cpus, bool patient_workers) {
  settings = {.cpus = cpus, .pus = real_cpus(), .patient_workers = patient_workers};
  put_deferral_on_kernel();
  machine_.emplace();
  poster_.emplace("poster", cpu(0));
  on_cpu_.emplace(*poster_);
  pinned_.emplace(0);
}

BenchMachine::~BenchMachine() { srcu::flush_deferred(); }

BenchDomain::BenchDomain(const std::string& strategy, Entry entry)
    : ssp_{nullptr, is_fast(strategy) ? SRCU_KIND_FAST : SRCU_KIND_NORMAL, nullptr, "bench"},
      post_(post_of(strategy, entry)) {
  srcu_set_strategy(&ssp_, strategy.c_str());
  put_on_kernel(&ssp_);
  usage().gp_work.owner = this;
  usage().gp_work.run = [](void* owner) {
    auto& self = *static_cast<BenchDomain*>(owner);
    uint64_t none = 0;
    // release: pairs with the acquire in started_ns(). relaxed if it was noted before
    self.started_ns_.compare_exchange_strong(none, srcu::env::now_ns(), std::memory_order_release, std::memory_order_relaxed);
    srcu::process_grace_periods(&self.usage());
  };
}

BenchDomain::~BenchDomain() {
  srcu_barrier(&ssp_);
  cleanup_srcu_struct(&ssp_);
}

bool BenchDomain::idle() {
  // acquire: what the driver did before
  return srcu::seq_state(usage().gp_seq.load(std::memory_order_acquire)) == srcu::GpState::kIdle &&
         usage().data.waiting.load(std::memory_order_relaxed) == 0;  // relaxed: a look in passing
}

double Samples::quantile(double share) {
  if (!sorted_) std::ranges::sort(ns_);
  sorted_ = true;
  const auto rank = static_cast<size_t>(share * static_cast<double>(ns_.size()));
  return static_cast<double>(ns_[std::min(rank, ns_.size() - 1)]);
}

void Samples::tell(benchmark::State& state, const std::string& name) {
  if (ns_.empty()) return;
  for (const double percent : {1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9})
    state.counters[fmt::format("{}_p{}_ns", name, percent)] = quantile(percent / 100);
  for (size_t i = 1; i <= std::min(kLongest, ns_.size()); ++i)
    state.counters[fmt::format("{}_longest{}_ns", name, i)] = static_cast<double>(ns_[ns_.size() - i]);
  state.counters[name + "_count"] = static_cast<double>(ns_.size());
}

bool has_second_copy(const Pair& pair) {
  const std::string context = pair.context->name;
  return pair.strategy == (context == "none" || context == "irqs_off" ? "direct" : "nolock:irqs_off");
}

double clock_cost_ns() {
  static const double cost = [] {
    constexpr int kReadings = 1000;
    Samples chains;  // the median of these, for somebody may interrupt some
    for (int chain = 0; chain < 101; ++chain) {
      const uint64_t begin_ns = srcu::env::now_ns();
      uint64_t end_ns = begin_ns;
      for (int i = 0; i < kReadings; ++i) benchmark::DoNotOptimize(end_ns = srcu::env::now_ns());
      chains.add(end_ns - begin_ns);
    }
    return chains.quantile(0.5) / kReadings;
  }();
  return cost;
}

uint64_t since(uint64_t begin_ns, unsigned readings) {
  const uint64_t took_ns = srcu::env::now_ns() - begin_ns;
  return took_ns - std::min(took_ns, static_cast<uint64_t>(std::lround(readings * clock_cost_ns())));
}

const std::vector<Pair>& pairs_that_live() {
  static const std::vector<Pair> pairs = [] {
    const Predictions predictions(SRCUTORTURE_PREDICTIONS);
    std::vector<Pair> living;
    for (const std::string& strategy : cell_strategy_names())
      for (const char* context : {"none", "irqs_off", "rq_lock", "timer_base_lock", "pool_lock", "nmi"})
        if (lives(predictions, strategy, context)) living.push_back({strategy, find_context(context)});
    return living;
  }();
  return pairs;
}

void register_benchmarks() {
  clock_cost_ns();  // now, or the first time that is taken would hold it
  register_post_benchmarks();
  register_invoke_benchmarks();
  register_throughput_benchmarks();
  register_deferral_benchmarks();
}

}  // namespace torture::kernel
