// What is staged: nothing of it may be forgotten by those who wait, and drains may not feed themselves.
#include <gtest/gtest.h>

#include <array>

#include "srcu/core/usage.hpp"
#include "srcu/defer.h"
#include "srcu/tests/manual_host.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;
using test::ManualHost;

/// While it lives, each drain of the domain has itself posted to from inside, under its lock, up to `most` times.
class PostsFromInside : public test::OnManualHost {
 protected:
  PostsFromInside() {
    self = this;
    usage.strategy = &traced;
  }
  ~PostsFromInside() override { self = nullptr; }

  static void on_kick(Usage& usage) {
    kick_by_irq_work(usage);
    if (self->drains_seen == self->inside.size() || !draining()) return;
    self->inside[self->drains_seen++].post(self->target);
  }
  void run_all() {
    while (ManualHost::run(usage.gp_work) || ManualHost::run(usage.data.invoke_work)) {
    }
  }
  std::optional<uint64_t> turn_in(Usage& of) const { return ManualHost::delay(of.data.staged.turn); }

  static inline PostsFromInside* self = nullptr;
  static constexpr Strategy traced = {.name = "traced",
                                      .sentence = "",
                                      .bears = Bears::kAnything,
                                      .must_stage = with_irqs_off_or_in_nmi,
                                      .must_stage_nolock = with_irqs_off_or_in_nmi,
                                      .kick = on_kick};
  std::array<Counted, 20> inside;
  size_t drains_seen = 0;
  srcu_struct* target = domain;
};

TEST_F(PostsFromInside, AreTheNextPassesATickLater) {
  Counted outside;
  irq_off();
  outside.post(domain);
  irq_on();
  for (unsigned pass = 1; pass <= inside.size(); ++pass) {
    ASSERT_EQ(drains_seen, pass) << "one pass for each turn";
    EXPECT_EQ(turn_in(usage), kJiffyNs);
    EXPECT_FALSE(usage.data.staged.posts.empty());
    run_all();  // the domain is idle again, so that the next one kicks
    ASSERT_TRUE(ManualHost::run(usage.data.staged.turn));
  }
  run_all();
  EXPECT_EQ(outside.times(), 1u);
  for (const Counted& each : inside) EXPECT_EQ(each.times(), 1u);
  EXPECT_FALSE(turn_in(usage));
}

// Two domains' drains that post to each other.
TEST_F(PostsFromInside, OfAnotherDomainAreALaterPassOfThatOne) {
  Domain other;
  other.usage().host = &ManualHost::host;
  target = other;
  Counted outside;
  irq_off();
  outside.post(domain);
  irq_on();
  ASSERT_EQ(drains_seen, 1u);
  EXPECT_EQ(turn_in(other.usage()), kJiffyNs);
  EXPECT_FALSE(turn_in(usage));
  EXPECT_TRUE(ManualHost::run(other.usage().data.staged.turn));
  while (ManualHost::run(other.usage().gp_work) || ManualHost::run(other.usage().data.invoke_work)) {
  }
  EXPECT_EQ(inside[0].times(), 1u);
  other.usage().host = &native_host;
  run_all();
  EXPECT_EQ(outside.times(), 1u);
}

TEST_F(PostsFromInside, AreNotForgottenByABarrier) {
  Counted outside;
  irq_off();
  outside.post(domain);
  irq_on();
  ASSERT_EQ(drains_seen, 1u);
  drains_seen = inside.size();  // no more
  test::Flag returned;
  std::jthread waiter([&] {
    srcu_barrier(domain);
    EXPECT_EQ(inside[0].times(), 1u);
    returned.set();
  });
  EXPECT_TRUE(test::eventually([&] {
    run_all();
    return returned.is_set();
  }));
}

class Staged : public test::OnManualHost {
 protected:
  void run_all() {
    while (ManualHost::run(usage.data.staged.turn) || ManualHost::run(usage.gp_work) ||
           ManualHost::run(usage.data.invoke_work)) {
    }
  }
};

/// Counts drains by irq_work, on their way.
class Passes : public Staged {
 protected:
  Passes() {
    self = this;
    usage.data.staged.drain.run = [](void* owner) {
      ++self->passes;
      drain_staged(owner);
    };
    set_defer_host(ManualHost::host);
  }
  ~Passes() override {
    set_defer_host(native_host);
    self = nullptr;
  }

  // A second of jiffies. Whatever else is queued than grace periods and callbacks is a drain, or leads to one, and is
  // due at once.
  void let_a_second_pass() {
    for (unsigned jiffy = 0; jiffy < 1000; ++jiffy) {
      const bool looks = ManualHost::take(usage.gp_work), invokes = ManualHost::take(usage.data.invoke_work);
      passes += ManualHost::run_one().has_value();
      if (looks) usage.gp_work.run(&usage);
      if (invokes) usage.data.invoke_work.run(&usage);
    }
  }

  static inline Passes* self = nullptr;
  unsigned passes = 0;
};

// A strategy that polls would make a thousand, or never come to an end here.
TEST_F(Passes, AreNoMoreThanThePostsNeed) {
  constexpr unsigned kPosts = 3;
  for (const Strategy* const* each = all_strategies; *each; ++each) {
    usage.strategy = *each;
    passes = 0;
    std::array<Counted, kPosts> counted;
    const uint32_t rank = current();
    open(rank);  // nothing ends meanwhile
    irq_off();
    for (Counted& post : counted) call_srcu_nolock(domain, &post.head, Counted::on_grace_period);
    irq_on();
    let_a_second_pass();
    EXPECT_EQ(counted[0].times(), 0u) << (*each)->name;
    EXPECT_TRUE(usage.data.staged.posts.empty()) << (*each)->name;
    EXPECT_LE(passes, 2 * kPosts) << (*each)->name;
    close(rank);
    let_a_second_pass();
    for (const Counted& post : counted) EXPECT_EQ(post.times(), 1u) << (*each)->name;
    EXPECT_LE(passes, 2 * kPosts) << (*each)->name << ", when all have run";
  }
}

// Release builds bear it: each runs, at least the one that was posted twice; debug builds say so.
#ifndef SRCU_DEBUG
TEST_F(Staged, AHeadThatIsPostedTwiceRunsOnce) {
  Counted counted;
  irq_off();
  counted.post(domain);
  counted.post(domain);
  irq_on();
  run_all();
  EXPECT_EQ(counted.times(), 1u);
}

TEST_F(Staged, AHeadThatIsPostedTwiceWithOthersInBetweenRunsOnce) {
  std::array<Counted, 3> counted;
  irq_off();
  for (Counted& each : counted) each.post(domain);
  counted[0].post(domain);
  irq_on();
  run_all();
  for (const Counted& each : counted) EXPECT_EQ(each.times(), 1u);
}
#endif

TEST_F(Staged, IsDrainedByTheIrqWorkOfTheHost) {
  Counted counted;
  static_cast<void>(ManualHost::asked());
  irq_off();
  counted.post(domain);
  EXPECT_EQ(ManualHost::asked(), "irq_work");
  irq_on();
  EXPECT_TRUE(usage.data.staged.posts.empty());
  run_all();
  EXPECT_EQ(counted.times(), 1u);
}

// cleanup waits for what still goes on, and leaves a refused domain as it works.
TEST_F(Staged, CleanupThatRefusesPutsTheTurnBack) {
  Counted counted;
  irq_off();
  counted.post(domain);
  irq_state.pending = nullptr;
  irq_on();
  usage.data.staged.drain.state = 0;  // what would have drained it is lost
  testing::internal::CaptureStderr();
  cleanup_srcu_struct(domain);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("some are staged"), std::string::npos);
  EXPECT_EQ(ManualHost::delay(usage.data.staged.turn), 0u);
  run_all();
  EXPECT_EQ(counted.times(), 1u);
}

}  // namespace
}  // namespace srcu
