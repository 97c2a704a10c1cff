// How many callbacks a second come through while threads post as fast as they can, on two emulated CPUs,
// until the last has run: what came too fast for the worker counts as time. No head is posted twice, and
// nobody waits for one: each poster has a share of them, and stops when it is used up or the time is over. So
// where one posts fast, others post as much. Who never came to post is told by a counter. All that is posted
// is in memory that was touched before.
#include <fmt/format.h>

#include <memory>

#include "harness/threads/named_thread.hpp"
#include "harness/threads/start_gate.hpp"
#include "torture/kernel/bench.hpp"
#include "torture/kernel/natural.hpp"

namespace torture::kernel {
namespace {

constexpr size_t kHeads = size_t{6} << 20;  ///< 96 MiB.
constexpr uint64_t kPostNs = 60'000'000, kPostNsEach = 4'000'000,
                   kLookNs = 200'000;  ///< Each poster shall have its turn.

rcu_head* heads() {
  static const std::unique_ptr<rcu_head[]> all{new rcu_head[kHeads]()};
  return all.get();
}

class Poster {
 public:
  Poster(unsigned number, unsigned of, const Context& context, BenchDomain& domain)
      : task_(fmt::format("poster/{}", number), cpu(number % 2)),
        context_(context),
        domain_(domain),
        share_(kHeads / of),
        heads_(heads() + number * share_) {}

  void post_until(const std::atomic<bool>& over) {
    const OnCpu on_cpu(task_);
    while (posted_ < share_ && !over.load(std::memory_order_relaxed))  // relaxed: a flag
      context_.run_in({domain_.ssp(), task_.cpu, 0}, {post, this});
  }
  uint64_t posted() const { return posted_; }

 private:
  static void post(void* argument) {
    auto& self = *static_cast<Poster*>(argument);
    self.domain_.post(&self.heads_[self.posted_++], [](rcu_head*) {});
  }

  Task task_;
  const Context& context_;
  BenchDomain& domain_;
  const size_t share_;
  rcu_head* const heads_;
  uint64_t posted_ = 0;
};

using Posters = std::vector<std::unique_ptr<Poster>>;

/// Until each has posted its share, or the time is over.
void post_for(uint64_t window_ns, const Posters& posters, uint64_t& begin_ns) {
  std::atomic<bool> over{false};
  std::atomic<size_t> at_it{posters.size()};
  harness::StartGate gate(static_cast<unsigned>(posters.size()) + 1);
  std::vector<harness::NamedThread> threads;
  for (unsigned i = 0; i < posters.size(); ++i)
    threads.emplace_back(fmt::format("poster/{}", i), cpu(i % 2).pu(), [&, i] {
      if (gate.arrive()) posters[i]->post_until(over);
      at_it.fetch_sub(
          1, std::memory_order_relaxed);  // relaxed, as the load: a hint; joining orders what was posted
    });
  static_cast<void>(gate.arrive());
  begin_ns = srcu::env::now_ns();
  while (at_it.load(std::memory_order_relaxed) && srcu::env::now_ns() - begin_ns < window_ns)
    srcu::env::sleep_ns(kLookNs);
  over.store(true, std::memory_order_relaxed);  // relaxed: a flag
}

void throughput(benchmark::State& state, const Pair& pair) {
  const auto count = static_cast<unsigned>(state.range(0));
  const BenchMachine machine(2);
  for (auto _ : state) {
    BenchDomain domain(pair.strategy, Entry::kAsMeant);
    Posters posters;
    for (unsigned i = 0; i < count; ++i)
      posters.push_back(std::make_unique<Poster>(i, count, *pair.context, domain));
    settle(domain.ssp());
    uint64_t begin_ns = 0;
    post_for(std::max(kPostNs, count * kPostNsEach / 2), posters, begin_ns);
    srcu_barrier(&domain.ssp());
    const auto took_ns = static_cast<double>(srcu::env::now_ns() - begin_ns);
    uint64_t posted = 0, active = 0;
    for (const auto& poster : posters) posted += poster->posted(), active += poster->posted() > 0;
    state.SetIterationTime(took_ns * 1e-9 / static_cast<double>(std::max<uint64_t>(posted, 1)));
    state.counters["callbacks_per_s"] = static_cast<double>(posted) * 1e9 / took_ns;
    state.counters["active_posters"] = static_cast<double>(active);
  }
}

void add(const std::string& name, const Pair& pair) {
  auto* const added = benchmark::RegisterBenchmark(
                          fmt::format("throughput/{}/{}", name, pair.context->name).c_str(), throughput, pair)
                          ->ArgName("posters")
                          ->Iterations(1)
                          ->UseManualTime();
  if (pair.context == find_context("none"))
    added->RangeMultiplier(4)->Range(1, 256);
  else
    added->Arg(1)->Arg(16);
}

}  // namespace

void register_throughput_benchmarks() {
  for (const Pair& pair : pairs_that_live()) {
    add(pair.strategy, pair);
    if (has_second_copy(pair)) add(pair.strategy + "-again", pair);
  }
}

}  // namespace torture::kernel
