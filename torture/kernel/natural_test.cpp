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

}  // namespace
}  // namespace torture::kernel
