// From a post to the start of its grace period, which is what deferral adds, and to its callback. Open loop: a prober posts
// when the schedule says so, each time to a domain that is idle, and times are kept both from the moment that was meant
// and from the moment the post was made. The first of these does not forget what waits behind something slow; how late the
// prober was itself, before it entered the context, is kept beside it ("late").
#include <fmt/format.h>

#include <deque>

#include "harness/base/random.hpp"
#include "torture/kernel/bench.hpp"
#include "torture/kernel/natural.hpp"

namespace torture::kernel {
namespace {

constexpr unsigned kDomains = 32, kProbes = 1120;  ///< So many that 1 % of them are some.
constexpr uint64_t kMeanGapNs = 260'000, kSpinNs = 100'000;

// Asleep, and then awake for a while: sleepers wake late, by more than what is to be seen here.
void wait_until(uint64_t due_ns) {
  for (uint64_t now = srcu::env::now_ns(); now < due_ns; now = srcu::env::now_ns()) {
    if (due_ns - now > kSpinNs)
      srcu::env::sleep_ns(due_ns - now - kSpinNs);
    else
      srcu::env::cpu_relax();
  }
}

struct Probe {
  HeadWithNode posted;  // first: the callback casts
  BenchDomain* domain;
  uint64_t meant_ns = 0, posted_ns = 0;
  std::atomic<uint64_t> invoked_ns{0};

  static void run(void* argument) {
    auto& self = *static_cast<Probe*>(argument);
    self.posted_ns = srcu::env::now_ns();
    self.domain->post(&self.posted.head, invoked);
  }
  static void invoked(rcu_head* head) {
    // release: pairs with the acquire in over(): the grace period's start, too
    reinterpret_cast<Probe*>(head)->invoked_ns.store(srcu::env::now_ns(), std::memory_order_release);
  }
  bool over() const { return invoked_ns.load(std::memory_order_acquire) != 0; }
};

/// A domain with the probe that is under way in it.
struct Target {
  BenchDomain domain;
  Probe probe;
  bool asked = false;

  Target(const std::string& strategy, Entry entry) : domain(strategy, entry) { probe.domain = &domain; }
  bool free() { return !asked || (probe.over() && domain.idle()); }
};

class Prober {
 public:
  Prober(const Pair& pair, Entry entry) : pair_(pair) {
    for (unsigned i = 0; i < kDomains; ++i) targets_.emplace_back(pair.strategy, entry);
  }

  void run(uint64_t seed) {
    harness::Random random(seed, "prober", 0);
    uint64_t meant_ns = srcu::env::now_ns();
    for (unsigned i = 0; i < kProbes; ++i) {
      meant_ns += kMeanGapNs / 2 + random.below(kMeanGapNs);  // in no step with the ticks
      Target& target = free_target();  // if one has to be waited for, that counts: the schedule goes on
      note(target);
      wait_until(meant_ns);
      send(target, meant_ns);
    }
    for (Target& target : targets_) {
      while (!target.free()) srcu::env::sleep_ns(50'000);
      note(target);
    }
  }

  void tell(benchmark::State& state) {
    state.SetIterationTime(invoke_.quantile(0.5) * 1e-9);
    late_.tell(state, "late");
    start_.tell(state, "start");
    start_open_.tell(state, "start_open");
    invoke_.tell(state, "invoke");
    invoke_open_.tell(state, "invoke_open");
  }

 private:
  Target& free_target() {
    for (;; ++next_) {
      Target& target = targets_[next_ % targets_.size()];
      if (target.free()) return ++next_, target;
      if ((next_ + 1) % targets_.size() == 0) srcu::env::sleep_ns(50'000);
    }
  }
  void send(Target& target, uint64_t meant_ns) {
    target.asked = true;
    target.probe.meant_ns = meant_ns;
    target.probe.invoked_ns.store(0, std::memory_order_relaxed);  // relaxed: the post's locks bring it along
    target.domain.expect_start();
    late_.add(srcu::env::now_ns() - meant_ns);
    pair_.context->run_in({target.domain.ssp(), cpu(0), 0}, {Probe::run, &target.probe});
  }
  void note(Target& target) {
    if (!target.asked) return;
    target.asked = false;
    const Probe& probe = target.probe;
    const uint64_t started_ns = target.domain.started_ns(), invoked_ns = probe.invoked_ns.load(std::memory_order_acquire);
    start_.add(started_ns - probe.posted_ns);
    start_open_.add(started_ns - probe.meant_ns);
    invoke_.add(invoked_ns - probe.posted_ns);
    invoke_open_.add(invoked_ns - probe.meant_ns);
  }

  const Pair& pair_;
  std::deque<Target> targets_;
  unsigned next_ = 0;
  Samples late_, start_, start_open_, invoke_, invoke_open_;
};

void invoke(benchmark::State& state, const Pair& pair, Entry entry) {
  const BenchMachine machine(2);
  for (auto _ : state) {
    Prober prober(pair, entry);
    prober.run(static_cast<uint64_t>(state.iterations()));
    prober.tell(state);
  }
}

}  // namespace

void register_invoke_benchmarks() {
  const auto add = [](const std::string& name, const Pair& pair, Entry entry = Entry::kAsMeant) {
    benchmark::RegisterBenchmark(fmt::format("invoke/{}/{}", name, pair.context->name).c_str(), invoke, pair, entry)
        ->UseManualTime()
        ->Iterations(1);
  };
  for (const Pair& pair : pairs_that_live()) {
    add(pair.strategy, pair);
    if (has_second_copy(pair)) add(pair.strategy + "-again", pair);
    if (may_bring_nodes(pair)) add(kOwnNodes, pair, Entry::kOwnNode);
  }
}

}  // namespace torture::kernel
