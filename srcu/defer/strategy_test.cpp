// What each strategy decides, and what it asks of the host while it starts a grace period.
#include "srcu/defer/strategy.hpp"

#include <errno.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/tests/manual_host.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;
using test::ManualHost;

std::vector<const Strategy*> all() {
  std::vector<const Strategy*> found;
  for (const Strategy* const* at = all_strategies; *at; ++at) found.push_back(*at);
  return found;
}

TEST(Strategy, IsFoundByName) {
  std::set<std::string> names;
  for (const Strategy* strategy : all()) {
    EXPECT_EQ(find_strategy(strategy->name), strategy);
    EXPECT_TRUE(names.insert(strategy->name).second) << strategy->name;
    EXPECT_GT(std::string(strategy->sentence).size(), 10u);
  }
  EXPECT_EQ(names.size(), 14u);
  EXPECT_EQ(find_strategy("nolock"), &nolock_irqs_off);
  for (const char* wrong : {"", "Direct", "defer", "defer_irqoff ", "nolock:", "nolock:never"})
    EXPECT_EQ(find_strategy(wrong), nullptr) << wrong;
}

/// Letters for the places where a strategy stages: a task, (i)nterrupts off, an (N)MI, a (l)ock of SRCU's held, a lock of
/// the (h)ost's, the domain's lock held by (s)omebody else.
class Decides : public test::OnManualHost {
 protected:
  using Asks = bool (*)(Usage&);
  std::string places(Asks asks) {
    std::string found;
    if (asks(usage)) found += 't';
    irq_off();
    if (asks(usage)) found += 'i';
    irq_on();
    nmi_enter();
    if (asks(usage)) found += 'N';
    nmi_exit();
    {
      Spinlock one;
      one.acquire_lock();
      if (asks(usage)) found += 'l';
      one.drop();
    }
    ManualHost::holds_lock = true;
    if (asks(usage)) found += 'h';
    ManualHost::holds_lock = false;
    {
      const IrqLocked locked(usage.lock);
      std::jthread([&] {
        if (asks(usage)) found += 's';
      }).join();
    }
    return found;
  }
};

TEST_F(Decides, ByTheTable) {
  const struct {
    const Strategy& strategy;
    const char *call_srcu, *nolock;
  } table[] = {
      {direct, "", ""},
      {rc4, "", ""},
      {delayed, "", ""},
      {irq_work, "", ""},
      {defer_nmi, "N", "N"},
      {defer_irqoff, "iN", "iN"},
      {nolock_always, "", "tiNlhs"},
      {nolock_irqs_off, "", "iN"},
      {nolock_in_nmi, "", "N"},
      {nolock_held_lock_table, "", "Nlh"},
      {nolock_lock_bit, "", "s"},
      {bpf_defer_strategy, "", "tiNlhs"},
      {tasks_trace_legacy, "", ""},
      {tasks_trace, "iN", "iN"},
  };
  EXPECT_EQ(std::size(table), all().size());
  for (const auto& [strategy, call_srcu, nolock] : table) {
    EXPECT_EQ(places(strategy.must_stage), call_srcu) << strategy.name;
    EXPECT_EQ(places(strategy.must_stage_nolock), nolock) << strategy.name << " by call_srcu_nolock()";
  }
}

TEST_F(Decides, LockBitLooksAtBothOfTheDomainsLocks) {
  Domain other;
  EXPECT_FALSE(nolock_lock_bit.must_stage_nolock(usage));
  const IrqLocked locked(usage.data.lock);
  EXPECT_TRUE(nolock_lock_bit.must_stage_nolock(usage));
  EXPECT_FALSE(nolock_lock_bit.must_stage_nolock(other.usage()));
}

TEST_F(Decides, ATableHasTheLocksOfItsOwnThreadOnly) {
  const IrqLocked locked(usage.lock);
  std::jthread([&] { EXPECT_FALSE(nolock_held_lock_table.must_stage_nolock(usage)); }).join();
  EXPECT_TRUE(nolock_held_lock_table.must_stage_nolock(usage));
}

TEST_F(Decides, ATableIsEmptyAgainAfterwards) {
  Spinlock one, other;
  EXPECT_TRUE(one.try_acquire());
  EXPECT_FALSE(one.try_acquire());
  other.acquire_lock();
  one.drop();
  EXPECT_TRUE(holds_spinlock());
  other.drop();
  EXPECT_FALSE(holds_spinlock());
}

class Kick : public test::OnManualHost {
 protected:
  /// What a request asks of the host: services, a star where a lock is held, then the delay that the work has.
  std::string asked(const Strategy& strategy, bool hurry) {
    usage.strategy = &strategy;
    ManualHost::take(usage.gp_work);
    static_cast<void>(ManualHost::asked());
    request(usage, snapshot(usage), hurry, true);
    const std::string services = ManualHost::asked();
    return services + (next_turn() == 0u ? ", now" : next_turn() == kJiffyNs ? ", a tick later" : ", ?");
  }
};

TEST_F(Kick, AsksTheHostForWhatTheTableSays) {
  const struct {
    const Strategy& strategy;
    const char *normal, *expedited;
  } table[] = {
      {direct, "work*, now", "work*, now"},
      {rc4, "work*, a tick later", "work*, now"},
      {delayed, "work*, a tick later", "work*, a tick later"},
      {irq_work, "irq_work* work, now", "irq_work* work, now"},
      {defer_nmi, "irq_work* work, now", "irq_work* work, now"},
      {defer_irqoff, "irq_work* work, now", "irq_work* work, now"},
      {nolock_always, "work*, now", "work*, now"},
      {nolock_irqs_off, "work*, now", "work*, now"},
      {nolock_in_nmi, "work*, now", "work*, now"},
      {nolock_held_lock_table, "work*, now", "work*, now"},
      {nolock_lock_bit, "work*, now", "work*, now"},
      {bpf_defer_strategy, "work*, now", "work*, now"},
      {tasks_trace_legacy, "irq_work* work, now", "irq_work* work, now"},
      {tasks_trace, "irq_work* work, now", "irq_work* work, now"},
  };
  EXPECT_EQ(std::size(table), all().size());
  for (const auto& [strategy, normal, expedited] : table) {
    EXPECT_EQ(asked(strategy, false), normal) << strategy.name;
    EXPECT_EQ(asked(strategy, true), expedited) << strategy.name << ", expedited";
    ManualHost::run(usage.gp_work);
  }
}

class Legacy : public test::OnManualHost {
 protected:
  Legacy() { usage.strategy = &tasks_trace_legacy; }
  void run_all() {
    while (ManualHost::run(staged.turn) || ManualHost::run(usage.gp_work) || ManualHost::run(usage.data.invoke_work)) {
    }
  }
  Staging& staged = usage.data.staged;
};

TEST_F(Legacy, WakesForTheFirstAndArmsATimerUnderItsLockForTheNext) {
  std::array<Counted, 4> counted;
  static_cast<void>(ManualHost::asked());
  counted[0].post(domain);
  EXPECT_EQ(ManualHost::asked(), "irq_work work");
  EXPECT_EQ(ManualHost::delay(staged.turn), 0u);
  EXPECT_FALSE(ManualHost::delay(staged.timer));
  counted[1].post(domain);
  EXPECT_EQ(ManualHost::asked(), "work*");
  EXPECT_GT(ManualHost::delay(staged.timer).value_or(0), kJiffyNs);
  counted[2].post(domain);
  EXPECT_EQ(ManualHost::asked(), "") << "it is armed";
  EXPECT_EQ(usage.data.callbacks.count(), 0u);

  EXPECT_TRUE(ManualHost::run(staged.turn));
  EXPECT_EQ(usage.data.callbacks.count(), 3u);
  EXPECT_TRUE(ManualHost::run(staged.timer));
  EXPECT_FALSE(ManualHost::delay(staged.turn)) << "nothing to do";
  counted[3].post(domain);
  EXPECT_EQ(ManualHost::delay(staged.turn), 0u);
  run_all();
  for (const Counted& each : counted) EXPECT_EQ(each.times(), 1u);
}

TEST_F(Legacy, TheTimerServesWhatTheWakeUpDidNot) {
  std::array<Counted, 2> counted;
  for (Counted& each : counted) each.post(domain);
  EXPECT_TRUE(ManualHost::take(staged.turn));
  EXPECT_TRUE(ManualHost::run(staged.timer));
  EXPECT_EQ(ManualHost::delay(staged.turn), 0u);
  run_all();
  for (const Counted& each : counted) EXPECT_EQ(each.times(), 1u);
}

TEST_F(Legacy, ARefusedCleanupLeavesItsTimerArmed) {
  std::array<Counted, 2> counted;
  for (Counted& each : counted) each.post(domain);
  EXPECT_TRUE(ManualHost::delay(staged.timer));
  cleanup_srcu_struct(domain);  // with a line on stderr
  EXPECT_TRUE(staged.timer_armed);
  EXPECT_GT(ManualHost::delay(staged.timer).value_or(0), kJiffyNs);
  run_all();
  EXPECT_TRUE(ManualHost::run(staged.timer));
  for (const Counted& each : counted) EXPECT_EQ(each.times(), 1u);
}

TEST(SetStrategy, TakesKnownNamesBeforeFirstUse) {
  Domain domain;
  EXPECT_EQ(domain.usage().strategy, &defer_irqoff) << "the default";
  for (const Strategy* strategy : all()) {
    EXPECT_EQ(srcu_set_strategy(domain, strategy->name), 0);
    EXPECT_EQ(domain.usage().strategy, strategy);
  }
}

TEST(SetStrategy, RefusesUnknownNamesAndLeavesTheOldOne) {
  Domain domain;
  EXPECT_EQ(srcu_set_strategy(domain, "direkt"), -EINVAL);
  EXPECT_EQ(srcu_set_strategy(domain, nullptr), -EINVAL);
  EXPECT_EQ(domain.usage().strategy, &defer_irqoff);
}

TEST(SetStrategy, RefusesAfterFirstUse) {
  Domain domain;
  synchronize_srcu(domain);
  EXPECT_EQ(srcu_set_strategy(domain, "direct"), -EBUSY);
  EXPECT_EQ(domain.usage().strategy, &defer_irqoff);
  Domain posted_to;
  Counted counted;
  posted_to.usage();
  counted.post(posted_to);
  EXPECT_EQ(srcu_set_strategy(posted_to, "direct"), -EBUSY);
  Domain staged_in;
  Counted staged;
  irq_off();
  staged.post(staged_in);
  EXPECT_EQ(srcu_set_strategy(staged_in, "direct"), -EBUSY);
  irq_on();
}

TEST(SetStrategy, MakesAStaticDomain) {
  DEFINE_STATIC_SRCU(ssp);
  EXPECT_EQ(srcu_set_strategy(&ssp, "direct"), 0);
  EXPECT_EQ(usage_of(&ssp).strategy, &direct);
  cleanup_srcu_struct(&ssp);
}

/// From a task, with interrupts off, and in an NMI.
class EachStrategy : public testing::TestWithParam<const Strategy*> {
 protected:
  EachStrategy() { EXPECT_EQ(srcu_set_strategy(domain, GetParam()->name), 0); }
  template <class Post>
  void post_everywhere(Post post) {
    post(counted[0]);
    irq_off();
    post(counted[1]);
    post(counted[2]);
    if (GetParam()->bears != Bears::kNoHandler) {
      nmi_enter();
      post(counted[3]);
      nmi_exit();
      ++posted;
    }
    irq_on();
    if (GetParam()->bears != Bears::kNoHandler) {
      const IrqLocked locked(domain.usage().lock);
      nmi_enter();
      call_srcu_nolock(domain, &counted[4].head, Counted::on_grace_period);
      nmi_exit();
      ++posted;
    }
  }
  void all_have_run(unsigned times) {
    for (unsigned i = 0; i < posted; ++i) EXPECT_EQ(counted[i].times(), times) << i;
  }

  std::array<Counted, 5> counted;
  unsigned posted = 3;
  Domain domain;
};

INSTANTIATE_TEST_SUITE_P(, EachStrategy, testing::ValuesIn(all()), [](const auto& info) {
  std::string name = info.param->name;
  for (char& c : name)
    if (c == ':') c = '_';
  return name;
});

TEST_P(EachStrategy, InvokesWhatIsPostedByTheTimeOfABarrier) {
  for (unsigned round = 1; round <= 50; ++round) {
    posted = 3;
    post_everywhere([&](Counted& one) { one.post(domain); });
    srcu_barrier(domain);
    all_have_run(round);
    if (HasFailure()) break;
  }
}

TEST_P(EachStrategy, InvokesWhatIsPostedWithoutABarrier) {
  post_everywhere([&](Counted& one) { call_srcu_nolock(domain, &one.head, Counted::on_grace_period); });
  EXPECT_TRUE(test::eventually([&] {
    for (unsigned i = 0; i < posted; ++i)
      if (counted[i].times() != 1) return false;
    return true;
  }));
}

// While four others post as well: their posts and ours share the staged lists.
TEST_P(EachStrategy, LosesNothingAtABarrierAmongOtherPosters) {
  std::atomic<bool> stop{false};
  std::vector<std::jthread> others;
  for (int t = 0; t < 4; ++t)
    others.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        std::array<Counted, 8> own;
        for (Counted& each : own) call_srcu_nolock(domain, &each.head, Counted::on_grace_period);
        srcu_barrier(domain);
        for (const Counted& each : own) EXPECT_EQ(each.times(), 1u);
      }
    });
  for (unsigned round = 0; round < 30; ++round) {
    Counted own;
    call_srcu_nolock(domain, &own.head, Counted::on_grace_period);
    srcu_barrier(domain);
    EXPECT_EQ(own.times(), 1u);
  }
  stop.store(true, std::memory_order_relaxed);
}

}  // namespace
}  // namespace srcu
