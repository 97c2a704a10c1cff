// What the benchmarks of deferral stand on: the model without the prover, domains on it, and quantiles as counters.
#pragma once

#include <benchmark/benchmark.h>

#include <optional>
#include <string>
#include <vector>

#include "srcu/bench/thread.hpp"
#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/context.hpp"

namespace torture::kernel {

/// A model of so many CPUs, spread over the real ones, and the calling thread as a task on its first; while it lives.
class BenchMachine {
 public:
  /// `patient_workers`: none takes the poster's CPU in the middle of what it does; see Settings.
  explicit BenchMachine(unsigned cpus, bool patient_workers = false);
  ~BenchMachine();
  BenchMachine(const BenchMachine&) = delete;
  BenchMachine& operator=(const BenchMachine&) = delete;

 private:
  std::optional<Machine> machine_;
  std::optional<Task> poster_;
  std::optional<OnCpu> on_cpu_;
  std::optional<srcu_bench::Pinned> pinned_;
};

/// How callers post: by the entry point that the strategy's callers use where they do not know what is held, or by
/// call_srcu(), as those do who need no deferral, or by bpf_defer() with a node of their own.
enum class Entry { kAsMeant, kCallSrcu, kOwnNode };

/// What is posted by Entry::kOwnNode.
struct HeadWithNode {
  rcu_head head;  // first: only its address is handed on
  bpf_defer_node node;
};

/// Of one kind of domain or the other, as the strategy's users have them.
inline bool is_fast(const std::string& strategy) { return strategy == "tasks_trace"; }

/// A domain on the model. It notes when its grace periods begin.
class BenchDomain {
 public:
  BenchDomain(const std::string& strategy, Entry entry);
  ~BenchDomain();
  BenchDomain(const BenchDomain&) = delete;
  BenchDomain& operator=(const BenchDomain&) = delete;

  void post(rcu_head* head, rcu_callback_t func) { post_(&ssp_, head, func); }
  srcu_struct& ssp() { return ssp_; }
  srcu::Usage& usage() { return srcu::usage_of(&ssp_); }

  bool idle();
  /// The next turn of the driver is the start of a grace period.
  void expect_start() { started_ns_.store(0, std::memory_order_relaxed); }  // relaxed: nobody drives now
  /// 0: not yet. acquire: pairs with the driver's release.
  uint64_t started_ns() const { return started_ns_.load(std::memory_order_acquire); }

 private:
  srcu_struct ssp_;
  void (*post_)(srcu_struct*, rcu_head*, rcu_callback_t);
  std::atomic<uint64_t> started_ns_{0};
};

/// Times of one kind.
class Samples {
 public:
  void add(uint64_t ns) {
    ns_.push_back(ns);
    sorted_ = false;
  }
  double quantile(double share);
  /// As counters "NAME_p50_ns" and so on: enough to draw the distribution from; and "NAME_longest1_ns" and on, from which
  /// several processes together have a tail. Nothing if there are no samples.
  void tell(benchmark::State& state, const std::string& name);

 private:
  std::vector<uint64_t> ns_;
  bool sorted_ = true;
};

/// What one reading of the clock takes, which every time contains: the mean of many, since the clock may go in steps that are
/// as long as a post. Measured when it is asked for the first time.
double clock_cost_ns();
/// How long ago that was, without so many readings of the clock.
uint64_t since(uint64_t begin_ns, unsigned readings);

/// A strategy, and where its caller is.
struct Pair {
  std::string strategy;
  const Context* context;
};
/// Those that no prediction lets hang, and no prover objects to.
const std::vector<Pair>& pairs_that_live();
/// A pair that is measured a second time, under a name of its own: what ratio one gets where there is no difference. In each
/// context there is one.
bool has_second_copy(const Pair& pair);
/// The strategy as callers have it who bring a node for each call, by Entry::kOwnNode.
inline constexpr const char* kOwnNodes = "bpf_defer-node";
inline bool may_bring_nodes(const Pair& pair) { return pair.strategy == "bpf_defer"; }

/// \name Each file's
/// @{
void register_post_benchmarks();
void register_invoke_benchmarks();
void register_throughput_benchmarks();
void register_deferral_benchmarks();
/// @}

}  // namespace torture::kernel
