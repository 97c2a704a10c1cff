// How many callbacks a second come through while threads post as fast as they can, on two emulated CPUs.
#include <fmt/format.h>

#include <memory>

#include "harness/threads/named_thread.hpp"
#include "harness/threads/start_gate.hpp"
#include "torture/kernel/bench.hpp"

namespace torture::kernel {
namespace {

constexpr uint64_t kPostNs = 50'000'000;
constexpr unsigned kHeads = 8192;  ///< Of all posters together: what waits at most.

/// Heads that are posted round and round, each again once its callback has run, which need not be in order.
class Poster {
 public:
  Poster(unsigned number, unsigned heads, const Context& context, BenchDomain& domain)
      : task_(fmt::format("poster/{}", number), cpu(number % 2)), context_(context), domain_(domain), size_(heads), heads_(new Head[heads]) {}

  void post_until(const std::atomic<bool>& over) {
    const OnCpu on_cpu(task_);
    while (!over.load(std::memory_order_relaxed)) {  // relaxed: a flag
      // acquire: pairs with the callback's release
      if (heads_[posted_ % size_].waits.load(std::memory_order_acquire))
        srcu::env::sleep_ns(20'000);
      else
        context_.run_in({domain_.ssp(), task_.cpu, 0}, {post, this});
    }
  }
  uint64_t posted() const { return posted_; }

 private:
  struct Head {
    rcu_head head;  // first: the callback casts
    std::atomic<bool> waits{false};
  };
  static void post(void* argument) {
    auto& self = *static_cast<Poster*>(argument);
    Head& head = self.heads_[self.posted_++ % self.size_];
    head.waits.store(true, std::memory_order_relaxed);  // relaxed: the post brings it along
    self.domain_.post(&head.head, [](rcu_head* head) {
      reinterpret_cast<Head*>(head)->waits.store(false, std::memory_order_release);  // pairs with post_until()
    });
  }

  Task task_;
  const Context& context_;
  BenchDomain& domain_;
  const size_t size_;
  const std::unique_ptr<Head[]> heads_;
  uint64_t posted_ = 0;
};

void throughput(benchmark::State& state, const Pair& pair) {
  const auto count = static_cast<unsigned>(state.range(0));
  const BenchMachine machine(2);
  for (auto _ : state) {
    BenchDomain domain(pair.strategy, Entry::kAsMeant);
    std::vector<std::unique_ptr<Poster>> posters;
    for (unsigned i = 0; i < count; ++i)
      posters.push_back(std::make_unique<Poster>(i, std::max(1U, kHeads / count), *pair.context, domain));
    std::atomic<bool> over{false};
    harness::StartGate gate(count + 1);
    uint64_t begin_ns = 0;
    {
      std::vector<harness::NamedThread> threads;
      for (unsigned i = 0; i < count; ++i)
        threads.emplace_back(fmt::format("poster/{}", i), cpu(i % 2).pu(), [&, i] {
          if (gate.arrive()) posters[i]->post_until(over);
        });
      static_cast<void>(gate.arrive());
      begin_ns = srcu::env::now_ns();
      srcu::env::sleep_ns(kPostNs);
      over.store(true, std::memory_order_relaxed);  // relaxed: a flag
    }
    srcu_barrier(&domain.ssp());
    const auto took_ns = static_cast<double>(srcu::env::now_ns() - begin_ns);
    uint64_t posted = 0;
    for (const auto& poster : posters) posted += poster->posted();
    state.SetIterationTime(took_ns * 1e-9 / static_cast<double>(posted));
    state.counters["callbacks_per_s"] = static_cast<double>(posted) * 1e9 / took_ns;
  }
}

}  // namespace

void register_throughput_benchmarks() {
  for (const Pair& pair : pairs_that_live()) {
    if (pair.context != find_context("none") && pair.context != find_context("irqs_off")) continue;
    benchmark::RegisterBenchmark(fmt::format("throughput/{}/{}", pair.strategy, pair.context->name).c_str(), throughput, pair)
        ->ArgName("posters")
        ->RangeMultiplier(4)
        ->Range(1, 256)
        ->Iterations(1)
        ->UseManualTime();
  }
}

}  // namespace torture::kernel
