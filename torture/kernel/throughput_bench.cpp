// How many callbacks a second come through while threads post as fast as they can, on two emulated CPUs, until the last has
// run: what came too fast for the worker counts as time. No head is posted twice, and nobody waits for one; should the heads
// run out, that ends the posting, and a counter says so. All that is posted is in memory that was touched before.
#include <fmt/format.h>

#include <memory>

#include "harness/threads/named_thread.hpp"
#include "harness/threads/start_gate.hpp"
#include "torture/kernel/bench.hpp"
#include "torture/kernel/natural.hpp"

namespace torture::kernel {
namespace {

constexpr size_t kHeads = size_t{6} << 20;  ///< 96 MiB.
constexpr size_t kBlock = 64;               ///< A poster takes so many at a time.
constexpr uint64_t kPostNs = 60'000'000, kPostNsEach = 800'000, kLookNs = 1'000'000;  ///< Each poster shall have its turn.

class Heads {
 public:
  static Heads& all() {
    static Heads heads;
    return heads;
  }
  void start_again() { taken_.store(0, std::memory_order_relaxed); }  // relaxed, throughout: threads start later
  bool ran_out() const { return taken_.load(std::memory_order_relaxed) >= kHeads; }
  /// Null if there are none left.
  rcu_head* take() {
    if (ran_out()) return nullptr;
    const size_t at = taken_.fetch_add(kBlock, std::memory_order_relaxed);
    return at < kHeads ? &heads_[at] : nullptr;
  }

 private:
  const std::unique_ptr<rcu_head[]> heads_{new rcu_head[kHeads]()};
  std::atomic<size_t> taken_{0};
};

class Poster {
 public:
  Poster(unsigned number, const Context& context, BenchDomain& domain)
      : task_(fmt::format("poster/{}", number), cpu(number % 2)), context_(context), domain_(domain) {}

  void post_until(const std::atomic<bool>& over) {
    const OnCpu on_cpu(task_);
    while (!over.load(std::memory_order_relaxed) && has_head())  // relaxed: a flag
      context_.run_in({domain_.ssp(), task_.cpu, 0}, {post, this});
  }
  uint64_t posted() const { return posted_; }

 private:
  bool has_head() {
    if (posted_ % kBlock == 0) block_ = Heads::all().take();
    return block_ != nullptr;
  }
  static void post(void* argument) {
    auto& self = *static_cast<Poster*>(argument);
    self.domain_.post(&self.block_[self.posted_++ % kBlock], [](rcu_head*) {});
  }

  Task task_;
  const Context& context_;
  BenchDomain& domain_;
  rcu_head* block_ = nullptr;
  uint64_t posted_ = 0;
};

using Posters = std::vector<std::unique_ptr<Poster>>;

void post_for(uint64_t window_ns, const Posters& posters, uint64_t& begin_ns) {
  std::atomic<bool> over{false};
  harness::StartGate gate(static_cast<unsigned>(posters.size()) + 1);
  std::vector<harness::NamedThread> threads;
  for (unsigned i = 0; i < posters.size(); ++i)
    threads.emplace_back(fmt::format("poster/{}", i), cpu(i % 2).pu(), [&, i] {
      if (gate.arrive()) posters[i]->post_until(over);
    });
  static_cast<void>(gate.arrive());
  begin_ns = srcu::env::now_ns();
  while (!Heads::all().ran_out() && srcu::env::now_ns() - begin_ns < window_ns) srcu::env::sleep_ns(kLookNs);
  over.store(true, std::memory_order_relaxed);  // relaxed: a flag
}

void throughput(benchmark::State& state, const Pair& pair) {
  const auto count = static_cast<unsigned>(state.range(0));
  const BenchMachine machine(2);
  for (auto _ : state) {
    BenchDomain domain(pair.strategy, Entry::kAsMeant);
    Posters posters;
    for (unsigned i = 0; i < count; ++i) posters.push_back(std::make_unique<Poster>(i, *pair.context, domain));
    Heads::all().start_again();
    settle(domain.ssp());
    uint64_t begin_ns = 0;
    post_for(std::max(kPostNs, count * kPostNsEach), posters, begin_ns);
    srcu_barrier(&domain.ssp());
    const auto took_ns = static_cast<double>(srcu::env::now_ns() - begin_ns);
    uint64_t posted = 0, active = 0;
    for (const auto& poster : posters) posted += poster->posted(), active += poster->posted() > 0;
    state.SetIterationTime(took_ns * 1e-9 / static_cast<double>(std::max<uint64_t>(posted, 1)));
    state.counters["callbacks_per_s"] = static_cast<double>(posted) * 1e9 / took_ns;
    state.counters["active_posters"] = static_cast<double>(active);
    state.counters["ran_out"] = Heads::all().ran_out();
  }
}

void add(const std::string& name, const Pair& pair) {
  auto* const added = benchmark::RegisterBenchmark(fmt::format("throughput/{}/{}", name, pair.context->name).c_str(), throughput, pair)
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
