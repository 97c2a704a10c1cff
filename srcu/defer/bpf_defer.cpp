// bpf_defer: one general queue for functions that take locks, for callers who may not: srcu/defer.h.
//
// Proposed by Boqun Feng: BPF is a context of its own, and should have one way to put off whatever it cannot do, instead
// of each callee growing one. Never built for the kernel.
// Claims: any function can be called from anywhere, and callees stay as they are.
// Costs: a node from each caller, an interrupt and a turn of the host's thread before anything happens; callers who forget
// are as with `direct`; and barriers must know the queue.
//
// One pass at a time, by the host's word that a work never runs twice at a time, and each takes what is there as it
// begins, oldest first. So a node that is put on now runs after all that are there: that is how flush_deferred() waits.
#include "srcu/core/misuse.hpp"
#include "srcu/core/usage.hpp"
#include "srcu/defer/strategy.hpp"
#include "srcu/platform/complain.hpp"
#include "srcu/platform/env.hpp"

namespace srcu {
namespace {

void pass(void*);

const Host* host = &native_host;
Pile<bpf_defer_node> posted;
std::atomic<uint64_t> unfinished{0};  // nodes that were posted and have not run to their end
thread_local constinit bool in_pass = false;

constinit Work turn = {pass, nullptr};
constinit IrqWork soon = {[](void*) { host->queue_delayed_work(turn, 0); }, nullptr};
constinit IrqWork later = {[](void*) { host->queue_delayed_work(turn, kJiffyNs); }, nullptr};
// The prover's: passes hold it, who waits for them syncs with it.
srcu_lockdep_class pass_class = SRCU_LOCKDEP_CLASS("srcu deferred", SRCU_LOCKDEP_UNCHECKED);

void pass(void*) {
  bpf_defer_node* twice = nullptr;  // then it runs once
  bpf_defer_node* node = posted.take(twice);
  in_pass = true;
  srcu_lockdep_acquire_at(&posted, &pass_class, 0, SRCU_LOCKDEP_READ_RECURSIVE, nullptr, "bpf_defer()", 0);
  while (node) {
    const bpf_defer_node one = *node;  // its memory is its poster's again
    one.function(one.ssp, one.head, one.func);
    node = one.next;
    // ORD(N1): pairs with N2: what the function did is done.
    unfinished.fetch_sub(1, release(Ord::N1));
  }
  srcu_lockdep_release(&posted);
  in_pass = false;
}

/// Waits on its caller's stack for its turn.
struct FlushNode {
  rcu_head head;  // first: the function gets its address
  bpf_defer_node node;
  std::atomic<uint32_t> ran{0};

  static void on_turn(srcu_struct*, rcu_head* head, rcu_callback_t) {
    auto& ran = reinterpret_cast<FlushNode*>(head)->ran;
    // ORD(N1): pairs with N2. From here on the memory may be gone.
    ran.store(1, release(Ord::N1));
    env::futex_wake(ran);
  }
};

void drain_domain(srcu_struct* ssp, rcu_head*, rcu_callback_t) {
  Usage& usage = usage_of(ssp);
  // ORD(N4): pairs with N3, by an exchange: whoever finds the node queued has staged before, and is drained now; whoever
  // finds it free writes it after this pass has read it.
  usage.data.staged.node_queued.exchange(false, acq_rel(Ord::N4));
  drain_staged(&usage);
}

// Under the strategy, a domain with staged posts is a node itself: rcu_head has no room for one.
void drain_by_queue(Usage& usage) {
  Staging& staged = usage.data.staged;
  // ORD(N3): pairs with N4: what was staged is seen by the drain that we count on; the node is ours alone.
  if (!staged.node_queued.exchange(true, acq_rel(Ord::N3)))
    bpf_defer(&staged.node, drain_domain, usage.domain, nullptr, nullptr);
}

}  // namespace

constinit const Strategy bpf_defer_strategy = {
    .name = "bpf_defer",
    .sentence = "callers in BPF's context hand the call to one lockless queue, which makes it later; here call_srcu_nolock() "
                "stands for them, and call_srcu() stays direct",
    .bears = Bears::kAnything,
    .must_stage = never,
    .must_stage_nolock = [](Usage&) { return true; },
    .kick = kick_now,
    .drain_soon = drain_by_queue,
};

void set_defer_host(const Host& served_by) { host = &served_by; }

bool in_deferred() { return in_pass; }

void flush_deferred() {
  // ORD(N2): pairs with N1.
  if (unfinished.load(acquire(Ord::N2)) == 0) return;
  if (!host->start()) die("bpf_defer: the helper thread cannot be started: raise the limit on threads");
  FlushNode last;
  bpf_defer(&last.node, FlushNode::on_turn, nullptr, &last.head, nullptr);
  srcu_lockdep_sync_at(&posted, &pass_class, 0, SRCU_LOCKDEP_WRITE, "bpf_defer_flush", 0);
  // ORD(N2): pairs with N1.
  while (!last.ran.load(acquire(Ord::N2))) env::futex_wait(last.ran, 0);
}

// Nodes on stacks of threads that are gone have nobody who waits for them, and domains drain by themselves.
void repair_deferred() {
  bpf_defer_node* twice = nullptr;
  bpf_defer_node* node = posted.take(twice);
  uint64_t kept = 0;
  while (node) {
    bpf_defer_node* const next = node->next;
    if (node->function != FlushNode::on_turn && node->function != drain_domain) {
      posted.push(node);
      ++kept;
    }
    node = next;
  }
  // relaxed, all: there is one thread
  unfinished.store(kept, relaxed);
  soon.state.store(0, relaxed);
  later.state.store(0, relaxed);
}

void resume_deferred() {
  if (!posted.empty()) host->queue_delayed_work(turn, 0);
}

}  // namespace srcu

extern "C" {

void bpf_defer(bpf_defer_node* node, bpf_defer_function_t function, srcu_struct* ssp, rcu_head* head, rcu_callback_t func) {
  using namespace srcu;
  node->function = function;
  node->ssp = ssp;
  node->head = head;
  node->func = func;
  unfinished.fetch_add(1, relaxed);  // relaxed: whoever counts on the node knows of our call
  if (posted.push(node)) host->queue_irq_work(in_pass ? later : soon);
}

void bpf_defer_flush() {
  if (srcu::in_deferred()) srcu::die("bpf_defer_flush() in a function that was deferred: it would wait for itself");
  srcu::check_flush_not_in_callback();
  srcu::flush_deferred();
}

}  // extern "C"
