// Posts that the lock prover has nothing to say of, in each execution: a lock's class, and a look for NMIs where nothing hangs without
// one, show themselves to it alone.
#include "harness/engine/test.hpp"
#include "srcu/lockdep.h"
#include "torture/kernel/context.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/nmi.hpp"
#include "torture/kernel/probe.hpp"

namespace torture::kernel {
namespace {

Machine* machine;
Domain* domain;

template <const char* kStrategy>
void begin() {
  srcu_lockdep_set_hook([](const srcu_lockdep_report* report, void*) { engine::check(false, report->headline); }, nullptr);
  // Before there are threads: one that is at a lock would be noted by halves. Not srcu_lockdep_start(): it asks libc for a call at each fork, which would outlive the execution.
  __atomic_store_n(&srcu_lockdep_running, 1, __ATOMIC_RELAXED);
  settings.cpus = 1;
  put_deferral_on_kernel();
  machine = new Machine;
  domain = new Domain(kStrategy);
}

void end() {
  srcu_barrier(&domain->ssp());
  delete machine;
}

template <const char* kContext>
void post_from() {
  Task poster("poster", cpu(0));
  const OnCpu on_cpu(poster);
  Post post{};
  post.domain = domain;
  find_context(kContext)->run_in({domain->ssp(), cpu(0), 0}, {Post::run, &post});
  post.wait();
}

void post_as_usual() {
  Task load("load", cpu(0));
  const OnCpu on_cpu(load);
  rcu_head head;
  call_srcu(&domain->ssp(), &head, [](rcu_head*) {});
  srcu_barrier(&domain->ssp());
}

constexpr char kIrqWork[] = "irq_work", kDeferIrqoff[] = "defer_irqoff", kRqLock[] = "rq_lock", kNmi[] = "nmi";

const bool registered = [] {
  engine::Test& under_lock = engine::all_tests().emplace_back();
  under_lock.name = "proved/rq_lock";
  under_lock.sentence = "ok: Posts under a runqueue's lock take no lock of a class that may sleep.";
  under_lock.init(begin<kIrqWork>).thread(post_from<kRqLock>).thread(post_as_usual).fini(end);
  engine::Test& in_nmi = engine::all_tests().emplace_back();
  in_nmi.name = "proved/nmi";
  in_nmi.sentence = "ok: Posts in an NMI wait for no lock, wherever it comes.";
  in_nmi.init(begin<kDeferIrqoff>).thread(post_from<kNmi>).thread(post_as_usual).fini(end);
  return true;
}();

}  // namespace
}  // namespace torture::kernel
