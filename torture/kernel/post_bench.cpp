// What a post costs its caller, by strategy and by where the caller is. Bursts into an idle domain: of each, the first post
// must ask for a grace period, the later ones find it asked for. A benchmark's time is that of a later one, on average;
// "each_ns" is that of the median batch. The post that asks wakes a worker, which runs once the burst is over, as it would on
// a CPU of its own: times hold the wake-up, not what is woken.
//
// From each time is taken what the readings of the clock in it take on average (clock_ns each, measured by the same process): one,
// and three where the context is entered and left in between. A single time is right to one step of the clock, which is
// 10 ns on some machines; below that, look at the batches. A batch is made in one section of its context: what is staged there
// is drained once, after its time has ended. Times with the context hold the drain of what is staged.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "torture/kernel/bench.hpp"
#include "torture/kernel/hardware_counts.hpp"
#include "torture/kernel/natural.hpp"

namespace torture::kernel {
namespace {

constexpr unsigned kFewBursts = 16;     ///< Where no distribution is looked at.
constexpr unsigned kBursts = 112;
constexpr unsigned kManyBursts = 1120;  ///< So that in nine processes posts that ask have a 99.9 %. Takes two ticks each, so not everywhere.
constexpr unsigned kOneByOne = 16;      ///< The first of these asks for the grace period.
constexpr unsigned kBatches = 3, kBatch = 16;  ///< Timed together: the clock is coarse beside one post.

void nothing(rcu_head*) {}

// What is between the entry and the end of these two is one post: programs that count instructions know them by name. They
// differ in shape, lest the compiler makes one of both, and end in something, lest they end in a jump.
[[gnu::noinline]] void counted_first_post(BenchDomain& domain, rcu_head* const* heads) {
  domain.post(heads[0], nothing);
  benchmark::ClobberMemory();
}
[[gnu::noinline]] void counted_later_post(BenchDomain& domain, rcu_head* const* heads, unsigned at) {
  domain.post(heads[at], nothing);
  benchmark::ClobberMemory();
}
/// They write down what they have so far here.
[[gnu::noinline]] void counted_all_posts() { benchmark::ClobberMemory(); }

/// Posts made one after the other in one context, timed from inside it: one, or a batch.
struct Posts {
  BenchDomain& domain;
  rcu_head* const* heads;
  unsigned from, count;
  const HardwareCounts& counters;
  uint64_t took_ns = 0;
  Counts counted{};

  static void run(void* argument) {
    auto& self = *static_cast<Posts*>(argument);
    if (self.counters.open()) return self.count_them();
    const uint64_t begin_ns = srcu::env::now_ns();
    self.make();
    self.took_ns = since(begin_ns, 1);
  }

 private:
  void make() {
    if (from == 0)
      counted_first_post(domain, heads);
    else if (count == 1)
      counted_later_post(domain, heads, from);
    else
      for (unsigned i = 0; i < count; ++i) domain.post(heads[from + i], nothing);
  }
  void count_them() {
    const Counts begin = counters.now();
    make();
    counted = counters.since(begin);
  }
};

/// Throws out of the caches what the last post left there.
class Broom {
 public:
  void sweep() {
    for (size_t at = 0; at < lines_.size(); at += 64) benchmark::DoNotOptimize(++lines_[at]);
  }

 private:
  std::vector<char> lines_ = std::vector<char>(2 << 20);
};

/// Keeps a grace period from ending: sweeping takes so long that a later post would have to ask for the next.
class Reader {
 public:
  Reader(srcu_struct& ssp, const std::string& strategy) : ssp_(ssp), fast_(is_fast(strategy)) {
    if (fast_)
      scp_ = srcu_read_lock_fast(&ssp_);
    else
      index_ = srcu_read_lock(&ssp_);
  }
  ~Reader() {
    if (fast_)
      srcu_read_unlock_fast(&ssp_, scp_);
    else
      srcu_read_unlock(&ssp_, index_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  srcu_struct& ssp_;
  const bool fast_;
  decltype(srcu_read_lock_fast(nullptr)) scp_{};
  int index_ = 0;
};

struct Burst {
  std::string strategy;
  const Context* context;
  Entry entry = Entry::kAsMeant;
  unsigned cpus = 2;
  bool cold = false;
  unsigned bursts = kBursts;
};

class Poster {
 public:
  Poster(const Burst& how) : how_(how), domain_(how.strategy, how.entry) {
    for (unsigned i = 0; i < kHeads; ++i) heads_[i] = how.entry == Entry::kOwnNode ? &with_nodes_[i].head : &bare_[i];
  }

  /// Into an idle domain; returns what the batches took.
  uint64_t burst() {
    settle(domain_.ssp());  // the heads were the last burst's
    std::optional<Reader> reader;
    for (unsigned i = 0; i < kOneByOne; ++i) {
      if (how_.cold) broom_.sweep();
      if (how_.cold && i == 1) reader.emplace(domain_.ssp(), how_.strategy);
      const uint64_t begin_ns = srcu::env::now_ns();
      (i == 0 ? first_ : later_).add(post(i, 1));
      (i == 0 ? first_with_context_ : later_with_context_).add(since(begin_ns, 3));
    }
    uint64_t sum_ns = 0;
    for (unsigned i = 0; i < kBatches; ++i) {
      const uint64_t took_ns = post(kOneByOne + i * kBatch, kBatch);
      batch_.add(took_ns);
      sum_ns += took_ns;
    }
    return sum_ns;
  }

  void tell(benchmark::State& state) {
    first_.tell(state, "first");
    later_.tell(state, "later");
    first_with_context_.tell(state, "first_with_context");
    later_with_context_.tell(state, "later_with_context");
    state.counters["each_ns"] = batch_.quantile(0.5) / kBatch;
    state.counters["clock_ns"] = clock_cost_ns();
    if (!counters_.open()) return;
    for (auto* const one : {&first_counts_, &later_counts_}) one->tell(state);
  }

 private:
  /// The median of each.
  struct Counted {
    std::string name;
    Samples instructions{}, lines{};

    void tell(benchmark::State& state) {
      state.counters[name + "_instructions"] = instructions.quantile(0.5);
      state.counters[name + "_lines"] = lines.quantile(0.5);
    }
  };

  uint64_t post(unsigned from, unsigned count) {
    Posts posts{domain_, heads_, from, count, counters_};
    how_.context->run_in({domain_.ssp(), cpu(0), 0}, {Posts::run, &posts});
    if (counters_.open() && count == 1) {
      Counted& counts = from == 0 ? first_counts_ : later_counts_;
      counts.instructions.add(posts.counted.instructions);
      counts.lines.add(posts.counted.lines);
    }
    return posts.took_ns;
  }

  static constexpr unsigned kHeads = kOneByOne + kBatches * kBatch;

  const Burst& how_;
  rcu_head bare_[kHeads];
  HeadWithNode with_nodes_[kHeads];
  rcu_head* heads_[kHeads];
  BenchDomain domain_;  // behind the heads: it ends with a barrier
  Broom broom_;
  Samples first_, later_, first_with_context_, later_with_context_, batch_;
  HardwareCounts counters_;
  Counted first_counts_{"first"}, later_counts_{"later"};
};

void post(benchmark::State& state, const Burst& how) {
  const BenchMachine machine(how.cpus, true);
  Poster poster(how);
  while (state.KeepRunningBatch(kBatches * kBatch)) state.SetIterationTime(static_cast<double>(poster.burst()) * 1e-9);
  poster.tell(state);
  counted_all_posts();
}

void add(const std::string& name, const Burst& how) {
  benchmark::RegisterBenchmark(name.c_str(), post, how)->UseManualTime()->Iterations(how.bursts * kBatches * kBatch);
}

}  // namespace

void register_post_benchmarks() {
  for (const Pair& pair : pairs_that_live()) {
    const auto& [strategy, context] = pair;
    const std::string name = fmt::format("post/{}/{}", strategy, context->name);
    const bool none = context == find_context("none");
    const unsigned bursts = none || context == find_context("rq_lock") ? kManyBursts : kBursts;
    add(name, {.strategy = strategy, .context = context, .bursts = bursts});
    if (has_second_copy(pair))
      add(fmt::format("post/{}-again/{}", strategy, context->name), {.strategy = strategy, .context = context, .bursts = bursts});
    if (may_bring_nodes(pair))
      add(fmt::format("post/{}/{}", kOwnNodes, context->name), {.strategy = strategy, .context = context, .entry = Entry::kOwnNode, .bursts = bursts});
    add(name + "/cold", {.strategy = strategy, .context = context, .cold = true, .bursts = kFewBursts});
    if (none && strategy.starts_with("nolock:"))
      add(fmt::format("post/{}+call_srcu/none", strategy), {.strategy = strategy, .context = context, .entry = Entry::kCallSrcu, .bursts = bursts});
    if (!none) continue;
    for (const unsigned cpus : {1U, 4U, 16U, 64U})
      add(fmt::format("{}/cpus:{}", name, cpus), {.strategy = strategy, .context = context, .cpus = cpus, .bursts = kFewBursts});
  }
}

}  // namespace torture::kernel
