#include "torture/kernel/probe.hpp"

#include "harness/base/errors.hpp"
#include "srcu/defer/strategy.hpp"
#include "srcu/platform/env.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/natural.hpp"
#include "torture/kernel/needs.hpp"

namespace torture::kernel {
namespace {

void invoked(rcu_head* head) {
  auto& post = *reinterpret_cast<Post*>(head);
  post.invoked_ns.store(srcu::env::now_ns(), std::memory_order_release);  // pairs with wait()
}

}  // namespace

Domain::Domain(const std::string& strategy)
    : ssp_{nullptr, strategy == "tasks_trace" ? SRCU_KIND_FAST : SRCU_KIND_NORMAL, nullptr, "cell"} {
  if (srcu_set_strategy(&ssp_, strategy.c_str()) != 0) throw harness::UsageError("there is no strategy " + strategy);
  put_on_kernel(&ssp_);
}

void prepare(Domain& domain, bool expedited) {
  settle(domain.ssp());
  if (!expedited) return;
  srcu::Usage& usage = domain.usage();
  const srcu::IrqLocked locked(usage.lock);
  usage.gp_seq_needed_exp.store(srcu::snapshot(usage), std::memory_order_relaxed);  // relaxed: under the lock
}

void Post::run(void* argument) {
  auto& self = *static_cast<Post*>(argument);
  srcu::Usage& usage = self.domain->usage();
  self.needed = post_must_be_deferred(usage);
  self.deferred = usage.strategy->must_stage_nolock(usage);
  self.posted_ns = srcu::env::now_ns();
  call_srcu_nolock(&self.domain->ssp(), &self.head, invoked);
}

uint64_t Post::wait() {
  uint64_t at = 0;
  while ((at = invoked_ns.load(std::memory_order_acquire)) == 0) srcu::env::sleep_ns(20'000);
  return at - posted_ns;
}

}  // namespace torture::kernel
