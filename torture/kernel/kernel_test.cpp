#include <gtest/gtest.h>
#include <sys/wait.h>

#include "srcu/core/usage.hpp"
#include "srcu/defer.h"
#include "srcu/platform/env.hpp"
#include "torture/kernel/cell.hpp"
#include "torture/kernel/context.hpp"
#include "torture/kernel/fault.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/natural.hpp"
#include "torture/kernel/nmi.hpp"
#include "torture/kernel/points.hpp"

namespace torture::kernel {
namespace {

// What may deadlock runs in a child of its own, which ends in one line.
void end(const char* words) {
  fprintf(stderr, "%s\n", words);
  _exit(0);
}

void start_prover(srcu_lockdep_hook hook) {
  srcu_lockdep_set_hook(hook, nullptr);
  srcu_lockdep_start();
}

void note(const srcu_lockdep_report* report, void*) {
  char text[4000];
  srcu_lockdep_format(report, text, sizeof text);
  note_fault(report->check, report->headline, text, false);
}
void ignore(const srcu_lockdep_report*, void*) {}

/// In a task on the first CPU of a machine.
template <class Body>
[[noreturn]] void on_a_machine(srcu_lockdep_hook hook, Body body) {
  start_prover(hook);
  Machine machine;
  {
    Task task("test", cpu(0));
    const OnCpu on_cpu(task);
    body(task);
  }
  const Fault* fault = wait_for_fault(0, 0);
  end(fault ? fault->check : "no fault");
  abort();
}

// Before a deadlock of the calling thread.
void tell_the_fault() {
  std::thread([] {
    const Fault* fault = wait_for_fault(0, 10'000'000'000);
    static char text[2 * sizeof(Fault)] = "none\n";
    if (!fault) describe_members(text + 5, sizeof text - 5);
    if (fault) snprintf(text, sizeof text, "%s: %s\n%s", fault->check, fault->headline, fault->text);
    end(text);
  }).detach();
}

struct Domain {
  srcu_struct ssp{nullptr, SRCU_KIND_NORMAL, nullptr, "test"};
  explicit Domain(const char* strategy) {
    EXPECT_EQ(srcu_set_strategy(&ssp, strategy), 0);
    put_on_kernel(&ssp);
  }
};

TEST(Machine, SrcuRunsOnIt) {
  EXPECT_EXIT(on_a_machine(note, [](Task&) {
                Domain domain("direct");
                walk_natural_paths(domain.ssp);
                cleanup_srcu_struct(&domain.ssp);
                if (domain.ssp.srcu_sup) end("still in use");
              }),
              testing::ExitedWithCode(0), "^no fault");
}

TEST(Machine, TimersAndWorkTakeTheirTime) {
  EXPECT_EXIT(on_a_machine(ignore, [](Task&) {
                std::atomic<uint64_t> ran_ns{0};
                srcu::Work work{[](void* ran_ns) {
                                  static_cast<std::atomic<uint64_t>*>(ran_ns)->store(srcu::env::now_ns());
                                },
                                &ran_ns};
                const uint64_t before = srcu::env::now_ns();
                kernel_host.queue_delayed_work(work, 5 * kJiffyNs);
                kernel_host.queue_delayed_work(work, 500 * kJiffyNs);  // the earlier time stays
                while (ran_ns == 0) srcu::env::sleep_ns(kJiffyNs);
                const uint64_t took = ran_ns - before;
                if (took < 5 * kJiffyNs || took > 400 * kJiffyNs) end("at the wrong time");
                ran_ns = 0;
                kernel_host.queue_delayed_work(work, 5 * kJiffyNs);
                kernel_host.cancel_work(work);
                srcu::env::sleep_ns(20 * kJiffyNs);
                if (ran_ns != 0) end("ran though it was cancelled");
                kernel_host.queue_delayed_work(work, 1'000'000 * kJiffyNs);
                kernel_host.queue_delayed_work(work, 0);
                while (ran_ns == 0) srcu::env::sleep_ns(kJiffyNs);
              }),
              testing::ExitedWithCode(0), "^no fault");
}

TEST(Machine, WithoutSelfIpiAnIrqWorkRunsAtTheTick) {
  settings.self_ipi = false;
  EXPECT_EXIT(on_a_machine(ignore, [](Task&) {
                std::atomic<unsigned> ran{0};
                srcu::IrqWork works[2];
                for (srcu::IrqWork& work : works) {
                  work.run = [](void* ran) { ++*static_cast<std::atomic<unsigned>*>(ran); };
                  work.owner = &ran;
                }
                srcu::irq_off();
                for (srcu::IrqWork* work : {&works[0], &works[1], &works[0]}) kernel_host.queue_irq_work(*work);
                srcu::irq_on();
                for (srcu::IrqWork& work : works) kernel_host.sync_irq_work(work);
                if (ran < 2 || ran > 3) end("not once each");
              }),
              testing::ExitedWithCode(0), "^no fault");
  settings.self_ipi = true;
}

TEST(Machine, TimersOfACpuThatIsOfflineGoToTheFirst) {
  EXPECT_EXIT(on_a_machine(ignore, [](Task&) {
                std::atomic<unsigned> ran_on{~0U};
                Timer timer{[](void* ran_on) { *static_cast<std::atomic<unsigned>*>(ran_on) = this_cpu().id; }, &ran_on};
                cpu(1).set_online(false);
                for (unsigned i = 0; i < 3; ++i) cpu(1).base(BaseKind::kLocal).arm(timer, srcu::env::now_ns());
                while (ran_on == ~0U) srcu::env::sleep_ns(kJiffyNs);
                if (ran_on != 0) end("on a CPU that is offline");
                ran_on = ~0U;
                cpu(1).set_online(true);
                cpu(1).base(BaseKind::kLocal).arm(timer, srcu::env::now_ns());
                while (ran_on == ~0U) srcu::env::sleep_ns(kJiffyNs);
                if (ran_on != 1) end("not on its own CPU");
              }),
              testing::ExitedWithCode(0), "^no fault");
}

TEST(Machine, ACpuThatGoesOfflineLeavesNothingDeferred) {
  EXPECT_EXIT(on_a_machine(ignore, [](Task&) {
                put_deferral_on_kernel();
                std::atomic<unsigned> ran{0};
                bpf_defer_node nodes[64];
                const auto count = [](srcu_struct* ran, rcu_head*, rcu_callback_t) { ++*reinterpret_cast<std::atomic<unsigned>*>(ran); };
                for (bpf_defer_node& node : nodes) bpf_defer(&node, count, reinterpret_cast<srcu_struct*>(&ran), nullptr, nullptr);
                cpu(1).set_online(false);
                if (ran != std::size(nodes)) end("what was deferred is left behind");
              }),
              testing::ExitedWithCode(0), "^no fault");
}

// Its delay passes on another CPU than the one where it runs: it must wait there for its own end.
TEST(Machine, WorkThatIsQueuedElsewhereWhileItRunsRunsAgainAndAlone) {
  EXPECT_EXIT(on_a_machine(ignore, [](Task&) {
                struct State {
                  std::atomic<unsigned> began{0}, at_once{0}, most{0}, ended{0};
                  std::atomic<bool> let_go{false};
                } state;
                srcu::Work work{[](void* argument) {
                                  auto& state = *static_cast<State*>(argument);
                                  const unsigned at_once = ++state.at_once;
                                  if (at_once > state.most) state.most = at_once;
                                  ++state.began;
                                  while (!state.let_go) srcu::env::sleep_ns(kJiffyNs / 10);
                                  --state.at_once;
                                  ++state.ended;
                                },
                                &state};
                kernel_host.queue_delayed_work(work, 0);
                while (state.began == 0) srcu::env::sleep_ns(kJiffyNs / 10);
                std::thread([&work] {
                  Task elsewhere("elsewhere", cpu(1));
                  const OnCpu on_cpu(elsewhere);
                  kernel_host.queue_delayed_work(work, kJiffyNs);
                }).join();
                srcu::env::sleep_ns(20 * kJiffyNs);  // the delay has passed
                state.let_go = true;
                for (unsigned tries = 0; state.ended != 2 && tries < 5000; ++tries) srcu::env::sleep_ns(kJiffyNs);
                if (state.ended != 2) end("the second run is lost");
                if (state.most != 1) end("two runs at once");
                kernel_host.cancel_work(work);
              }),
              testing::ExitedWithCode(0), "^no fault");
}

[[noreturn]] void queue_one_on_several_machines() {
  std::atomic<unsigned> runs{0};
  srcu::Work work{[](void* runs) { ++*static_cast<std::atomic<unsigned>*>(runs); }, &runs};
  for (const unsigned cpus : {2U, 1U, 2U}) {
    settings = {.cpus = cpus};
    const Machine machine;
    if (cpus == 1 && last_cpu(work)) end("it is still on a CPU that is gone");
    const unsigned before = runs;
    queue_work(cpu(cpus - 1), work);
    for (unsigned tries = 0; runs == before && tries < 5000; ++tries) srcu::env::sleep_ns(kJiffyNs);
    if (runs == before) end("it did not run");
    kernel_host.cancel_work(work);
  }
  end("it ran");
  abort();
}

// As bpf_defer()'s work, of which there is one in a process.
TEST(Machine, AWorkThatOutlivesItRunsOnTheNext) {
  EXPECT_EXIT(queue_one_on_several_machines(), testing::ExitedWithCode(0), "^it ran");
}

TEST(Deadlock, OfALockWithItselfIsFound) {
  EXPECT_EXIT(on_a_machine(ignore, [](Task& task) {
                tell_the_fault();
                task.pi_lock.lock();
                task.pi_lock.lock();
              }),
              testing::ExitedWithCode(0),
              "test waits for a lock that it holds itself(.|\n)*p->pi_lock(.|\n)*p->pi_lock");
}

TEST(Deadlock, OfTwoIsFoundAsACycle) {
  EXPECT_EXIT(on_a_machine(ignore, [](Task& task) {
                tell_the_fault();
                task.pi_lock.lock();
                std::atomic<bool> held{false};
                std::thread other([&] {
                  Task second("second", cpu(1));
                  const OnCpu on_cpu(second);
                  cpu(1).rq_lock.lock();
                  held = true;
                  task.pi_lock.lock();
                });
                while (!held) srcu::env::sleep_ns(1000);
                cpu(1).rq_lock.lock();
              }),
              testing::ExitedWithCode(0), "^lock_cycle(.|\n)*threads wait for each other");
}

TEST(Deadlock, IsNotSeenInContention) {
  EXPECT_EXIT(on_a_machine(ignore, [](Task& task) {
                std::vector<std::thread> threads;
                for (unsigned i = 0; i < 4; ++i) {
                  threads.emplace_back([&task, i] {
                    Task own("contender " + std::to_string(i), cpu(i % 2));
                    const OnCpu on_cpu(own);
                    // What the prover takes for a lock, as SRCU's callbacks, may have a lock's address.
                    static srcu_lockdep_class shown = SRCU_LOCKDEP_CLASS("shown", SRCU_LOCKDEP_UNCHECKED);
                    srcu_lockdep_acquire(task.pi_lock.key(), &shown, SRCU_LOCKDEP_READ_RECURSIVE);
                    for (unsigned turns = 0; turns < 300; ++turns) {
                      const IrqLock outer(task.pi_lock);
                      const IrqLock inner(cpu(0).rq_lock);
                      srcu::env::sleep_ns(10'000);
                    }
                  });
                }
                for (std::thread& thread : threads) thread.join();
              }),
              testing::ExitedWithCode(0), "^no fault");
}

// Callbacks are known to the prover by a word of their domain's, which must not be a lock's.
TEST(Deadlock, IsNotSeenInACallbackThatWaitsForItsDomainsLock) {
  EXPECT_EXIT(on_a_machine(ignore, [](Task&) {
                Domain domain("irq_work");
                struct Post {
                  rcu_head head;  // first: the callback casts
                  srcu_struct* ssp;
                  rcu_head again;
                  std::atomic<bool> holds{false};
                } post{{}, &domain.ssp, {}};
                call_srcu(&domain.ssp, &post.head, [](rcu_head* head) {
                  auto& self = *reinterpret_cast<Post*>(head);
                  std::thread holder([&self] {
                    const srcu::IrqLocked locked(srcu::usage_of(self.ssp).data.lock);
                    self.holds = true;
                    srcu::env::sleep_ns(20 * kJiffyNs);  // longer than a ring of waiters is looked at
                  });
                  while (!self.holds) srcu::env::sleep_ns(kJiffyNs / 10);
                  call_srcu(self.ssp, &self.again, [](rcu_head*) {});
                  holder.join();
                });
                while (!post.holds) srcu::env::sleep_ns(kJiffyNs);
                srcu::env::sleep_ns(100 * kJiffyNs);  // by then it would hang for ever
              }),
              testing::ExitedWithCode(0), "^no fault");
}

TEST(Nmi, HitsThoughInterruptsAreOff) {
  bool hit = false;
  srcu::irq_off();
  raise_nmi([](void* hit) { *static_cast<bool*>(hit) = srcu::in_nmi(); }, &hit);
  EXPECT_TRUE(hit);
  EXPECT_FALSE(srcu::in_nmi());
  srcu::irq_on();
}

TEST(Tracepoints, RunWhatIsAttachedAndNothingInside) {
  static unsigned runs;
  runs = 0;
  const uint64_t left_out = programs_left_out();
  {
    const Attached attached(tracepoints_like("sched:*"), {[](void*) {
                                                            ++runs;
                                                            sched_switch.hit();
                                                          },
                                                          nullptr});
    sched_wakeup.hit();
    timer_start.hit();
  }
  sched_wakeup.hit();
  EXPECT_EQ(runs, 1u);
  EXPECT_EQ(programs_left_out(), left_out + 1);
}

TEST(Tracepoints, SeveralMayBeAttachedAndOneHere) {
  unsigned all = 0, here = 0;
  const Program counts_all{[](void* all) { ++*static_cast<unsigned*>(all); }, &all};
  const Program counts_here{[](void* here) { ++*static_cast<unsigned*>(here); }, &here};
  {
    const Attached one({&sched_switch}, counts_all), two({&sched_switch}, counts_all);
    const AttachedHere own(sched_switch, counts_here);
    sched_switch.hit();
    sched_wakeup.hit();
    std::thread([] { sched_switch.hit(); }).join();
  }
  sched_switch.hit();
  EXPECT_EQ(all, 4u);
  EXPECT_EQ(here, 1u);
}

TEST(Tracepoints, AreFoundByPattern) {
  EXPECT_EQ(tracepoints_like("*").size(), tracepoints().size());
  EXPECT_EQ(tracepoints_like("lock:rq").size(), 1u);
  EXPECT_TRUE(tracepoints_like("nothing").empty());
}

void print(const CellOutcome& outcome, void*) {
  fprintf(stderr, "%s after %u tries\n%s\n", outcome.check.c_str(), outcome.tries, outcome.evidence.c_str());
  _exit(0);
}

struct Known {
  Cell cell;
  const char *prover, *real;
};

class RunCell : public testing::TestWithParam<Known> {};

TEST_P(RunCell, SaysWhatTheFactsSay) {
  const auto [cell, prover, real] = GetParam();
  EXPECT_EXIT(run_cell(cell, Way::kProver, print, nullptr), testing::ExitedWithCode(0), prover);
  EXPECT_EXIT(run_cell(cell, Way::kReal, print, nullptr), testing::ExitedWithCode(0), real);
}

INSTANTIATE_TEST_SUITE_P(
    Cells, RunCell,
    testing::Values(
        Known{{"none", "direct", "own", "same", "normal"}, "^ok", "^ok after 20"},
        Known{{"rq_lock", "direct", "own", "same", "normal"}, "circular locking", "^self_deadlock"},
        Known{{"rq_lock", "direct", "other", "same", "normal"}, "circular locking", "^ok after 20"},
        Known{{"pi_lock", "direct", "own", "same", "normal"}, "circular locking", "^self_deadlock"},
        Known{{"timer_base_lock", "direct", "own", "same", "normal"}, "circular locking", "^self_deadlock"},
        Known{{"pool_lock", "direct", "own", "same", "normal"}, "circular locking", "^self_deadlock"},
        Known{{"sdp_lock", "direct", "own", "same", "normal"}, "recursive locking", "^self_deadlock"},
        Known{{"sup_lock", "direct", "own", "same", "normal"}, "recursive locking", "^self_deadlock"},
        Known{{"nmi", "direct", "own", "same", "normal"}, "inconsistent lock state", "^self_deadlock"},
        Known{{"rq_lock", "defer_irqoff", "own", "same", "normal"}, "^ok", "^ok after 20"},
        Known{{"sup_lock", "defer_irqoff", "own", "same", "normal"}, "^ok", "^ok after 20"},
        Known{{"nmi", "defer_irqoff", "own", "same", "normal"}, "^ok", "^ok after 20"},
        Known{{"nmi_in_call_srcu", "defer_irqoff", "own", "same", "normal"}, "^ok", "^ok after 20"},
        Known{{"deferral_drain", "defer_irqoff", "own", "same", "normal"}, "^ok", "^ok after 20"},
        Known{{"deferral_drain", "direct", "own", "same", "normal"}, "^n/a", "^n/a"}),
    [](const testing::TestParamInfo<Known>& info) {
      const Cell& cell = info.param.cell;
      return cell.context + "_" + cell.strategy + "_" + cell.instance;
    });

}  // namespace
}  // namespace torture::kernel
