#include "torture/kernel/cell.hpp"

#include <algorithm>
#include "harness/base/errors.hpp"
#include "harness/topology/topology.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/cells.hpp"
#include "torture/kernel/context.hpp"
#include "torture/kernel/fault.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/natural.hpp"
#include "torture/kernel/premise.hpp"
#include "torture/kernel/probe.hpp"
#include "torture/kernel/prover.hpp"
#include "torture/kernel/stall.hpp"
#include "torture/kernel/tracepoint.hpp"
#include "torture/threads/patience.hpp"

namespace torture {
namespace {

using namespace kernel;

constexpr unsigned kTries = 20;                  // real ones
constexpr uint64_t kLookNs = 50'000'000;
constexpr uint64_t kStallNs = 8'000'000'000;  // the walk and a try take some milliseconds, on a machine that is not busy

/// A program that posts wherever it is attached, as long as it has heads.
struct Visits {
  static constexpr unsigned kMost = 64;
  Post posts[kMost]{};
  std::atomic<unsigned> count{0};

  explicit Visits(Domain& domain) {
    for (Post& post : posts) post.domain = &domain;
  }
  static void come(void* argument) {
    auto& self = *static_cast<Visits*>(argument);
    // relaxed: each head is one visit's alone
    if (const unsigned visit = self.count.fetch_add(1, std::memory_order_relaxed); visit < kMost)
      Post::run(&self.posts[visit]);
  }
};

class Trial {
 public:
  /// Without a context, it is tracepoints.
  Trial(const Cell& cell, Way way, const Context* context) : cell_(cell), way_(way), context_(context) {}

  /// In a task of the model. Fills in `outcome`, unless a fault comes between.
  void run(CellOutcome& outcome) {
    Task poster("poster", cpu(0));
    const OnCpu on_cpu(poster);
    Domain domain(cell_.strategy), other(cell_.strategy);
    Domain& of_context = cell_.domain == "other" ? other : domain;
    if (way_ == Way::kProver) {
      for (Domain* each : {&domain, &other}) walk_natural_paths(each->ssp());
      walked_.store(true, std::memory_order_release);  // pairs with the acquire in walked()
    }
    if (!context_) return at_tracepoints(domain, outcome);
    std::vector<uint64_t> latencies;
    unsigned deferred = 0, needless = 0;
    const bool expedited = cell_.pace == "expedited";
    const unsigned tries = way_ == Way::kProver ? context_->places : std::max(kTries, context_->places);
    for (outcome.tries = 0; outcome.tries < tries; ++outcome.tries) {
      Post post{};
      post.domain = &domain;
      prepare(domain, expedited);
      prepare(other, expedited);
      const Scene scene{of_context.ssp(), cpu(cell_.instance == "other" ? 1 : 0), outcome.tries % context_->places};
      if (!context_->run_in(scene, {Post::run, &post})) {
        if (outcome.tries > 0) continue;
        outcome.check = "n/a";
        outcome.evidence = "under this strategy nobody comes to this context";
        return;
      }
      latencies.push_back(wait_for(post));
      deferred += post.deferred;
      needless += post.deferred && !post.needed;
      // relaxed: a count that only grows
      progress_.fetch_add(1, std::memory_order_relaxed);
    }
    if (way_ == Way::kProver && cell_.strategy == "nolock:irqs_off") check_premise(outcome);
    std::ranges::sort(latencies);
    outcome.p50_ns = static_cast<double>(latencies[latencies.size() / 2]);
    outcome.p99_ns = static_cast<double>(latencies[latencies.size() * 99 / 100]);
    outcome.needless = deferred == 0 ? 0 : static_cast<double>(needless) / deferred;
  }

  bool walked() const { return walked_.load(std::memory_order_acquire); }
  unsigned progress() const { return progress_.load(std::memory_order_relaxed); }  // relaxed: a count
  /// The domain of a post that has returned, and whose callback has not run.
  const srcu::Usage* waits_for() const { return waits_for_.load(std::memory_order_acquire); }  // pairs with wait_for()

 private:
  // Without it, who finds interrupts on may hold a lock that he comes to.
  static void check_premise(CellOutcome& outcome) {
    const Premise premise = premise_of_irqs_off();
    outcome.evidence = premise.words;
    if (!premise.holds) outcome.check = "lock_cycle";
  }
  // Wherever the natural paths come to them, a post.
  void at_tracepoints(Domain& domain, CellOutcome& outcome) {
    prepare(domain, cell_.pace == "expedited");
    Visits visits(domain);
    {
      const Attached attached(tracepoints_like(tracepoint_pattern(cell_.context)), {Visits::come, &visits});
      walk_natural_paths(domain.ssp());
    }
    srcu_barrier(&domain.ssp());
    // relaxed: all visits are over
    outcome.tries = std::min(Visits::kMost, visits.count.load(std::memory_order_relaxed));
    for (unsigned i = 0; i < outcome.tries; ++i) {
      if (visits.posts[i].invoked_ns.load(std::memory_order_acquire) != 0) continue;
      outcome.check = "lost_callback";
      outcome.evidence = "a callback that was posted at a tracepoint had not run by the end of the barrier";
    }
    if (outcome.tries == 0)
      outcome.check = "n/a", outcome.evidence = "no natural path comes to these tracepoints";
  }
  uint64_t wait_for(Post& post) {
    waits_for_.store(&post.domain->usage(), std::memory_order_release);  // pairs with waits_for(): the post
    const uint64_t took_ns = post.wait();
    waits_for_.store(nullptr, std::memory_order_relaxed);  // relaxed: who looks meanwhile sees progress soon
    return took_ns;
  }

  const Cell& cell_;
  const Way way_;
  const Context* const context_;
  std::atomic<bool> walked_{false};
  std::atomic<unsigned> progress_{0};
  std::atomic<const srcu::Usage*> waits_for_{nullptr};
};

CellOutcome stalled(const srcu::Usage* posted_to) {
  char text[sizeof(Fault::text)];
  describe_members(text, sizeof text);
  std::string check = check_of_stall(posted_to);
  const char* const why =
      check == "lost_callback"
          ? "a callback did not run within 8 s, and the domain waits for nothing: it was lost, or staged and left behind\n"
          : "a callback did not run within 8 s; nobody waits in a ring\n";
  return {.check = std::move(check), .evidence = std::string(why) + text};
}

}  // namespace

void run_cell(const Cell& cell, Way way, void (*tell)(const CellOutcome&, void*), void* argument) {
  const Context* context = find_context(cell.context);
  const bool at_tracepoints = is_tracepoint_context(cell.context);
  if (!context && !at_tracepoints) throw harness::UsageError("there is no context " + cell.context);
  if (at_tracepoints && way == Way::kReal)
    return tell({.check = "n/a", .evidence = "tracepoints are proved alone"}, argument);
  if (context && context->places == 0) return tell({.check = "n/a", .evidence = "the model has no such place"}, argument);
  settings.preempt_rt = cell.preempt_rt;
  start_prover(way == Way::kProver);  // else it is there for what it knows of held locks
  put_deferral_on_kernel();
  new Machine;  // with its threads, until the process ends
  auto* const trial = new Trial(cell, way, context);
  auto* const outcome = new CellOutcome;
  auto* const over = new std::atomic<bool>{false};
  new harness::NamedThread("poster", cpu(0).pu(), [=] {
    trial->run(*outcome);
    over->store(true, std::memory_order_release);  // pairs with the acquire below: the outcome
    stop_waiting_for_faults();
  });
  unsigned seen = 0;
  Patience patience(kLookNs);
  for (uint64_t waited_ns = 0;;) {
    const bool ended = over->load(std::memory_order_acquire);  // before the look, or its last fault might be missed
    if (const Fault* fault = wait_for_fault(0, ended ? 0 : kLookNs)) {
      const bool early = way == Way::kProver && !trial->walked();
      return tell({.check = fault->check,
                   .evidence = std::string(early ? "(on the natural paths alone)\n" : "") + fault->headline + "\n" + fault->text,
                   .tries = trial->progress() + 1},
                  argument);
    }
    if (ended) return tell(*outcome, argument);
    waited_ns += patience.tick(srcu::env::now_ns());
    if (trial->progress() != seen) seen = trial->progress(), waited_ns = 0;
    if (waited_ns > kStallNs) return tell(stalled(trial->waits_for()), argument);
  }
}

}  // namespace torture
