// The matrix's cells in the controlled engine: the machine, an ordinary poster and the caller in its context take turns as a
// seed says, and what hangs is told as the ring of locks that it is.
#include <memory>
#include <optional>

#include "harness/engine/test.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/context.hpp"
#include "torture/kernel/tests/engine/subjects.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/nmi.hpp"
#include "torture/kernel/probe.hpp"

namespace torture::kernel {
namespace {

/// \name Made anew in each execution
/// @{
const Subject* subject;
Machine* machine;
Domain *domain, *other;
std::atomic<uint32_t> round_begun{0}, load_ended{0};
/// @}

const Context& context() { return *find_context(subject->cell.context); }
Cpu& locked_cpu() { return cpu(subject->cell.instance == "other" ? 1 : 0); }
Domain& of_context() { return subject->cell.domain == "other" ? *other : *domain; }

/// The names live as long as the program.
void name_locks() {
  constexpr const char* kNames[2][6] = {
      {"rq->__lock of CPU 0", "pool->lock of CPU 0", "pi_lock of an idle worker of CPU 0", "pi_lock of the other worker of CPU 0", "timer_base.lock of CPU 0", "timer_base.lock of CPU 0"},
      {"rq->__lock of CPU 1", "pool->lock of CPU 1", "pi_lock of an idle worker of CPU 1", "pi_lock of the other worker of CPU 1", "timer_base.lock of CPU 1", "timer_base.lock of CPU 1"}};
  for (unsigned id = 0; id < settings.cpus; ++id) {
    Cpu& it = cpu(id);
    engine::name_lock(it.rq_lock.key(), kNames[id][0]);
    engine::name_lock(it.pool.lock.key(), kNames[id][1]);
    const IrqLock locked(it.pool.lock);
    if (Task* const worker = it.pool.idle_worker_in_passing()) {
      engine::name_lock(worker->pi_lock.key(), kNames[id][2]);
      if (worker->next_idle) engine::name_lock(worker->next_idle->pi_lock.key(), kNames[id][3]);
    }
    for (TimerBase& base : it.bases) engine::name_lock(base.lock.key(), kNames[id][4]);
  }
  engine::name_lock(&domain->usage().data.lock, "sdp->lock");
  engine::name_lock(&domain->usage().lock, "sup->lock");
  engine::name_lock(&domain->usage().data.staged.lock, "rtpcp->lock");
  engine::name_lock(&other->usage().data.lock, "sdp->lock of the other domain");
  engine::name_lock(&other->usage().lock, "sup->lock of the other domain");
}

void begin() {
  subject = &subject_of(engine::test_name());
  settings.cpus = subject->cell.instance == "other" ? 2 : 1;
  put_deferral_on_kernel();
  machine = new Machine;
  domain = new Domain(subject->cell.strategy);
  other = new Domain(subject->cell.strategy);
}

void prepare_both() {
  const bool expedited = subject->cell.pace == "expedited";
  prepare(*domain, expedited);
  prepare(*other, expedited);
}

/// The domain's other users go on meanwhile.
void begin_round(unsigned place) {
  if (place == 0) name_locks();
  engine::tell_from_here();
  round_begun.store(place + 1, std::memory_order_release);
  srcu::env::futex_wake(round_begun);
}
void await(std::atomic<uint32_t>& word, uint32_t least) {
  for (uint32_t seen; (seen = word.load(std::memory_order_acquire)) < least;) srcu::env::futex_wait(word, seen);
}

void post_from_context() {
  Task poster("poster", cpu(0));
  const OnCpu on_cpu(poster);
  for (unsigned place = 0; place < context().places; ++place) {
    Post post{};
    post.domain = domain;
    prepare_both();
    begin_round(place);
    const bool came = context().run_in({of_context().ssp(), locked_cpu(), place}, {Post::run, &post});
    engine::check(came || place != 0 || subject->load, "nobody comes to this context");  // others may keep all workers busy, say
    if (post.posted_ns != 0) post.wait();
    if (subject->load) await(load_ended, place + 1);
  }
}

/// A second one in a row meets a list that is not empty, since nothing is drained in between, and arms the timer: on the other CPU,
/// where the caller's lock may be in the way. On the caller's own, one leaves that to the caller.
void post_to_legacy(rcu_head (&heads)[2]) {
  const bool twice = subject->cell.instance == "other";
  srcu::irq_off();
  call_srcu(&domain->ssp(), &heads[0], [](rcu_head*) {});
  if (twice) call_srcu(&domain->ssp(), &heads[1], [](rcu_head*) {});
  srcu::irq_on();
}

/// On the CPU whose lock the caller holds. Somebody is in a hurry, and somebody is not.
void post_as_usual() {
  Task load("load", locked_cpu());
  const OnCpu on_cpu(load);
  for (unsigned place = 0; place < context().places; ++place) {
    await(round_begun, place + 1);
    rcu_head heads[2], of_other;
    if (subject->cell.strategy == "tasks_trace_legacy") {
      post_to_legacy(heads);
    } else {
      srcu_expedite_current(&domain->ssp());
      call_srcu(&domain->ssp(), &heads[0], [](rcu_head*) {});
    }
    if (&of_context() != domain) call_srcu(&of_context().ssp(), &of_other, [](rcu_head*) {});
    srcu_barrier(&domain->ssp());
    srcu_barrier(&of_context().ssp());
    load_ended.store(place + 1, std::memory_order_release);
    srcu::env::futex_wake(load_ended);
  }
}

/// The interrupted code is a post, from its first step to its last.
void post_with_nmi_anywhere() {
  static Post in_nmi;
  Task poster("poster", cpu(0));
  const OnCpu on_cpu(poster);
  prepare_both();
  in_nmi.domain = domain;
  begin_round(0);
  rcu_head head;
  engine::set_handler([] { raise_nmi(Post::run, &in_nmi); });
  call_srcu(&domain->ssp(), &head, [](rcu_head*) {});
  engine::set_handler(nullptr);
  srcu_barrier(&domain->ssp());
  if (in_nmi.posted_ns != 0) in_nmi.wait();
}

void end() {
  srcu_barrier(&domain->ssp());
  srcu_barrier(&other->ssp());
  delete machine;
}

const bool registered = [] {
  for (const Subject& one : subjects()) {
    engine::Test& test = engine::all_tests().emplace_back();
    test.name = one.name.c_str();
    test.sentence = one.sentence.c_str();
    test.init(begin).thread(one.nmi_anywhere ? post_with_nmi_anywhere : post_from_context).fini(end);
    if (one.load) test.thread(post_as_usual);
  }
  return true;
}();

}  // namespace
}  // namespace torture::kernel
