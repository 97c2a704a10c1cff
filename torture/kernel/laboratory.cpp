#include "torture/kernel/laboratory.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <cstring>
#include <sstream>

#include "harness/base/errors.hpp"
#include "harness/base/nearest.hpp"
#include "srcu/lockdep.h"
#include "srcu/platform/env.hpp"
#include "srcu/platform/irq.hpp"
#include "torture/flavors/registry.hpp"
#include "torture/kernel/fault.hpp"
#include "torture/kernel/host.hpp"
#include "torture/kernel/locked_callers.hpp"
#include "torture/kernel/prover.hpp"

namespace torture {
namespace {

using namespace kernel;

std::vector<const Context*> contexts_of(const std::string& words) {
  std::vector<const Context*> chosen;
  std::vector<std::string> names;
  for (const Context& each : contexts()) {
    if (each.places == 0) continue;
    names.emplace_back(each.name);
    if (words == "all") chosen.push_back(&each);
  }
  if (words == "all") return chosen;
  std::istringstream in(words);
  for (std::string word; in >> word;) {
    const Context* const context = find_context(word);
    if (!context || context->places == 0)
      throw harness::UsageError(fmt::format("context '{}' is unknown{} (all: srcutorture list contexts)", word,
                                            harness::did_you_mean(word, names)));
    chosen.push_back(context);
  }
  if (chosen.empty()) throw harness::UsageError("no context is named; write all, or some of: srcutorture list contexts");
  return chosen;
}

Check check_of(const Fault& fault) {
  for (const Check check : {Check::kLockCycle, Check::kWaitContext, Check::kSelfDeadlock})
    if (strcmp(fault.check, check_name(check)) == 0) return check;
  throw harness::Broken(fmt::format("the kernel model reports a check '{}' that there is not", fault.check));
}

constexpr uint64_t kStaysStagedNs = 300'000;  // a barrier's threads learn of a post within 50 us each

/// A torture thread, for the search for deadlocks.
class Presence {
 public:
  Presence() { pthread_getname_np(pthread_self(), name_, sizeof name_); }

 private:
  char name_[16];
  Member member_{name_};
};

class Laboratory final : public Company {
 public:
  Laboratory(const Params& params, const std::vector<unsigned>& pus)
      : contexts_(contexts_of(params.locked_contexts)),
        callers_(static_cast<unsigned>(params.locked_callers)),
        onoff_ns_(static_cast<uint64_t>(params.onoff_interval)),
        locks_sleep_(params.srcu_locks == "spinlock" && params.preempt_rt) {
    settings.cpus = static_cast<unsigned>(params.emulated_cpus);
    settings.preempt_rt = params.preempt_rt;
    settings.self_ipi = params.self_ipi;
    settings.tick_runs_irq_works = params.tick_runs_irq_works;
    settings.pus = pus;
    if (params.srcu_locks == "spinlock") srcu_lockdep_set_own_wait(SRCU_LOCKDEP_CONFIG);
    start_prover(true);
    if (callers_ == 0) return;
    put_deferral_on_kernel();
    prepare_domains(put_on_kernel);
    machine_ = std::make_unique<Machine>();
    if (srcu_set_strategy(&other_, params.strategy.c_str()) != 0)
      throw harness::Broken("the second domain does not take the strategy");
    put_on_kernel(&other_);
  }

  void start(World& world) override {
    if (callers_ == 0) return;
    world.presence = [] { return std::make_shared<Presence>(); };
    // Where the locks sleep, that would be a bug of the poster's own, and stand for the one that is looked for.
    if (!locks_sleep_)
      world.where_posts_wait = [](const std::function<void()>& post) {
        srcu::irq_off();
        post();
        srcu::env::sleep_ns(kStaysStagedNs);
        srcu::irq_on();  // drains what was staged
      };
    settings.seed = world.seed;  // before anybody meets a program
    locked_.emplace(world, other_, contexts_, callers_, onoff_ns_);
    // As any kernel has done before a program is loaded: the first post under a lock of the scheduler meets known orders.
    {
      const Presence booting;
      srcu_expedite_current(&other_);
    }
    locked_->start();
  }
  bool all_ended() const override { return !locked_ || locked_->all_ended(); }
  void stop() override {
    if (!locked_) return;
    locked_->stop();
    srcu_barrier(&other_);
  }

  unsigned threads() const override { return callers_; }
  uint64_t steps(unsigned thread) const override { return locked_ ? locked_->steps(thread) : 0; }

  uint64_t posted() const override { return sum(&Account::posted); }
  uint64_t invoked() const override { return sum(&Account::invoked); }
  uint64_t doubled() const override { return sum(&Account::doubled); }
  nlohmann::ordered_json counts() const override {
    auto counts = by_context(&Account::posted);
    if (locked_) counts["onoff"] = locked_->onoffs();
    return counts;
  }
  nlohmann::ordered_json invoked_counts() const override { return by_context(&Account::invoked); }
  std::string missing() const override {
    std::string words;
    if (!locked_) return words;
    for (const Account& account : locked_->accounts()) {
      const uint64_t invoked = account.invoked(), posted = account.posted();  // in this order: not below 0
      if (posted != invoked) words += fmt::format("{}{} of {}", words.empty() ? "" : ", ", posted - invoked, account.context().name);
    }
    return words;
  }

  std::optional<Trouble> trouble() override {
    const Fault* const fault = wait_for_fault(told_, 0);
    if (!fault) return std::nullopt;
    ++told_;
    return Trouble{check_of(*fault), fault->headline, fault->text, fault->hangs};
  }

 private:
  nlohmann::ordered_json by_context(uint64_t (Account::*count)() const) const {
    auto counts = nlohmann::ordered_json::object();
    if (!locked_) return counts;
    for (const Account& account : locked_->accounts()) counts[account.context().name] = (account.*count)();
    return counts;
  }

  uint64_t sum(uint64_t (Account::*count)() const) const {
    uint64_t sum = 0;
    if (locked_)
      for (const Account& account : locked_->accounts()) sum += (account.*count)();
    return sum;
  }

  const std::vector<const Context*> contexts_;
  const unsigned callers_;
  const uint64_t onoff_ns_;
  const bool locks_sleep_;
  srcu_struct other_{nullptr, SRCU_KIND_NORMAL, nullptr, "other"};
  std::unique_ptr<Machine> machine_;
  std::optional<LockedCallers> locked_;
  unsigned told_ = 0;  ///< Faults that the torture knows.
};

}  // namespace

void check_locked_contexts(const Params& params) { static_cast<void>(contexts_of(params.locked_contexts)); }

void check_srcu_locks(const Params& params) {
  if (params.srcu_locks != "raw" && params.srcu_locks != "spinlock")
    throw harness::UsageError(
        fmt::format("srcu_locks '{}' is unknown; choose raw or spinlock", params.srcu_locks));
}

std::function<std::unique_ptr<Company>()> laboratory(const Params& params, bool takes_strategy,
                                                     const std::vector<unsigned>& pus) {
  if (params.srcu_locks == "spinlock" && params.preempt_rt && !params.self_ipi)
    throw harness::UsageError(
        "srcu_locks=spinlock with preempt_rt=1 needs self_ipi=1: without it irq_works run in the tick's interrupt, where no "
        "such lock may be taken");
  if (params.self_ipi && !params.tick_runs_irq_works)
    throw harness::UsageError("tick_runs_irq_works=0 needs self_ipi=0: CPUs that can interrupt themselves need no tick for irq_works");
  if (params.locked_callers == 0 && !params.prove_locking) return {};
  if (!takes_strategy)
    throw harness::UsageError(
        "locked_callers and prove_locking are for this project's SRCU: choose one of its flavours, or leave them out");
  return [=] { return std::make_unique<Laboratory>(params, pus); };
}

}  // namespace torture
