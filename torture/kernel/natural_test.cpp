// What the prover learns from a machine that goes its natural ways: the orders that a kernel has, and in which context its
// interrupts run.
#include "torture/kernel/natural.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <string>

#include "srcu/core/usage.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/host.hpp"

namespace torture::kernel {
namespace {

using Order = std::pair<std::string, std::string>;

void end(const std::string& words) {
  fprintf(stderr, "%s\n", words.c_str());
  _exit(0);
}

/// In a task on the first CPU of a machine, with the prover on.
template <class Body>
void on_a_machine(Body body) {
  srcu_lockdep_set_hook([](const srcu_lockdep_report* report, void*) { end(report->headline); }, nullptr);
  srcu_lockdep_start();
  const Machine machine;
  Task task("test", cpu(0));
  const OnCpu on_cpu(task);
  body();
  end("all is well");
}

std::set<Order> orders_of_the_model() {
  std::set<Order> seen;
  srcu_lockdep_for_each_edge(
      [](const srcu_lockdep_link* link, void* to) {
        const std::set<std::string> model = {"rq->__lock", "p->pi_lock", "timer_base.lock", "pool->lock"};
        const Order order = {link->from.lock_class->name, link->to.lock_class->name};
        if (model.contains(order.first) && model.contains(order.second)) static_cast<std::set<Order>*>(to)->insert(order);
      },
      &seen);
  return seen;
}

void walk_and_compare() {
  srcu_struct ssp{nullptr, SRCU_KIND_NORMAL, nullptr, "test"};
  EXPECT_EQ(srcu_set_strategy(&ssp, "direct"), 0);
  put_on_kernel(&ssp);
  walk_natural_paths(ssp);
  std::set<Order> sourced;
  for (const Edge& edge : known_edges()) sourced.emplace(edge.from, edge.to);
  const std::set<Order> seen = orders_of_the_model();
  for (const auto& [from, to] : seen)
    if (!sourced.contains({from, to})) end(from + " -> " + to + " has no source");
  for (const auto& [from, to] : sourced)
    if (!seen.contains({from, to})) end(from + " -> " + to + " has a source and never comes");
}

TEST(NaturalDeathTest, EveryOrderOfTheModelsLocksHasASourceAndEverySourceAnOrder) {
  EXPECT_EXIT(on_a_machine(walk_and_compare), testing::ExitedWithCode(0), "^all is well");
}

struct Handler {
  std::atomic<unsigned> ran{0}, with_interrupts_on{0}, nested{0};
  Handler* next = nullptr;
  srcu_lockdep_class lock_class = SRCU_LOCKDEP_CLASS("handler's", SRCU_LOCKDEP_SPIN);
  srcu::IrqWork work{[](void* self) { static_cast<Handler*>(self)->run(); }, this};

  void run() {
    if (!srcu::irqs_off()) ++with_interrupts_on;
    srcu_lockdep_acquire(this, &lock_class, SRCU_LOCKDEP_WRITE);
    srcu_lockdep_release(this);
    if (next) {
      kernel_host.queue_irq_work(next->work);
      if (next->ran != 0) ++nested;
    }
    ++ran;
  }
};

void queue_three(bool self_ipi) {
  settings.self_ipi = self_ipi;
  static Handler handlers[3];  // the last is queued by the first
  handlers[0].next = &handlers[2];
  srcu::irq_off();
  for (const unsigned i : {0, 1, 0}) kernel_host.queue_irq_work(handlers[i].work);
  srcu::irq_on();
  for (Handler& handler : handlers) kernel_host.sync_irq_work(handler.work);
  for (const Handler& handler : handlers) {
    if (handler.ran == 0) end("not at all");
    if (handler.with_interrupts_on != 0) end("with interrupts on");
    // Without self-IPI a tick may have come in between.
    if (self_ipi && handler.ran != 1) end("not once each");
    if (self_ipi && handler.nested != 0) end("one inside the other");
    const uint32_t usage = srcu_lockdep_usage_of(&handler.lock_class, 0);
    if (!(usage & SRCU_LOCKDEP_IN_HARDIRQ)) end("not in a hard interrupt");
    if (usage & SRCU_LOCKDEP_HARDIRQS_ON) end("the prover has them with interrupts on");
  }
  if (srcu::irqs_off()) end("interrupts stay off");
}

TEST(NaturalDeathTest, IrqWorksRunInAHardInterrupt) {
  EXPECT_EXIT(on_a_machine([] { queue_three(true); }), testing::ExitedWithCode(0), "^all is well");
  EXPECT_EXIT(on_a_machine([] { queue_three(false); }), testing::ExitedWithCode(0), "^all is well");
}

}  // namespace
}  // namespace torture::kernel
