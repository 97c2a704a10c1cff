// Stories and the verdicts that the kernel's lockdep gives on them: those of its own selftest, and others
// that its rules decide.
#include "srcu/lockdep/story.hpp"

namespace srcu::test {
namespace {

struct Story {
  const char *verdict, *story;
};

template <size_t kCount>
void expect(const Story (&stories)[kCount]) {
  for (const Story& told : stories) EXPECT_EQ(verdict_on(told.story), told.verdict) << told.story;
}

TEST(Stories, OfOneClass) {
  expect({
      {"ok", "+A -A +A -A"},
      {"recursion", "+A +A"},
      {"recursion", "+A +A.2"},
      {"recursion", "+P +P.2"},
      {"recursion", "+A +B +A"},
      {"ok", "+A +A.2/1"},
      {"ok", "+A +A.2/1 +A.3/2"},
      {"recursion", "+A/1 +A.2/1"},
      {"cycle", "+A +A.2/1 -A.2 -A +A/1 +A.2"},
      {"ok", "+N +K@N +K.2@N +K.3@N"},
      {"recursion", "+K@N +K.2@N"},
      {"recursion", "+K +N +K.2@N -K.2 -N +L@M +L.2@M"},
      {"recursion", "+K +K.2 +N"},
  });
}

TEST(Stories, OfOrders) {
  expect({
      {"ok", "+A +B -B -A +A +B -B -A"},
      {"ok", "+A +B -A +C -B -C +A +C"},
      {"cycle", "+A +B -B -A +B +A"},
      {"cycle", "+A +B -A -B +B +A"},
      {"cycle", "+P +Q -Q -P +Q +P"},
      {"cycle", "+A +B -B -A +B +C -C -B +C +A"},
      {"cycle", "+A +B -B -A +C +A -A -C +B +C"},
      {"cycle", "+A +B -B -A +B +C -C -B +C +D -D -C +D +A"},
      {"cycle", "+A +B -B -A +C +D -D -C +B +D -D -B +D +A"},
      {"cycle", "+A +B -B -A +C +D -D -C +B +C -C -B +D +A"},
      {"ok", "+A +B +C -C -B -A +A +C -C -A +B +C -C -B"},
      {"cycle", "+A +B +C -C -B -A +C +A"},
      {"ok", "+A +B -B -A +C +B -B -C"},
      {"cycle", "+A +B -B -A +B +A.2/0"},
      {"ok", "+A +B -B -A +B +A.2/1"},
      {"cycle", "+P +Q -P +R -Q -R +R +P"},
      {"cycle", "+A +B +C -B -C -A +C +A"},
  });
}

TEST(Stories, OfReaders) {
  expect({
      {"ok", "RA RA -A -A"},
      {"recursion", "rA rA.2"},
      {"ok", "rA RA"},
      {"recursion", "RA rA"},
      {"recursion", "RA +A"},
      {"recursion", "+A RA"},
      {"recursion", "+A rA"},
      {"cycle", "RA +B -B -A RB +A"},
      {"ok", "RA RB -B -A RB RA"},
      {"cycle", "rA rB -B -A rB rA"},
      {"cycle", "+A RB -B -A +B RA"},
      {"ok", "+A RB -B -A RB +A"},
      {"cycle", "+A rB -B -A RB +A"},
      {"cycle", "+A rB -B -A rB +A"},
      {"cycle", "RA +B -B -A +B +A"},
      {"ok", "RA +B -B -A +B RA"},
      {"cycle", "RA +B -B -A +B rA"},
      {"cycle", "RA +B -B -A +B RA -A -B +B +A"},
      {"cycle", "RA +B -B -A +B +C -C -B +C +A"},
      {"ok", "RA +B -B -A +B +C -C -B +C RA"},
      // A strong path hidden behind a weak one to the same lock.
      {"cycle", "+A RB -B -A +A +B -B -A RB +C -C -B +C +A"},
      {"ok", "+A RB -B -A RB +C -C -B +C +A"},
      {"cycle", "+A RB -B -A +B +C -C -B +C +A"},
      // A reader in between has not taken the outer lock's order away.
      {"cycle", "+A RB +C -C -B -A +C +A"},
      {"cycle", "+A RB +C -B -C -A +C +A"},
      {"cycle", "+P RU +Q -U -Q -P +Q +P"},
      {"cycle", "+A RB RD +C -C -D -B -A +C +A"},
      {"ok", "RD +C -C -D +A RD -D -A +C +A"},
      // The weak way is the shorter one.
      {"cycle", "+A RB -B -A +A +D -D -A +D +B -B -D RB +C -C -B +C +A"},
  });
}

TEST(Stories, OfTrylocks) {
  expect({
      {"ok", "+A ?A.2"},
      {"ok", "+A ?B -B -A +B +A"},
      {"ok", "?A +B -B -A +B ?A"},
      {"cycle", "?A +B -B -A +B +A"},
      {"cycle", "+A ?B +C -C -B -A +C +A"},
      {"cycle", "+A ?B +C -C -B -A +C +B"},
      {"cycle", "+A +B ?C +D -D -C -B -A +D +A"},
      {"cycle", "?A ?B +C -C -B -A +C +A"},
      {"ok", "+A ?B -B -A +C +A -A -C +B +C"},
      {"ok", "RA ?RA"},
      // What is new comes from the lower of two held locks.
      {"cycle", "?B +C -C -B +A ?B +C -C -B -A +C +A"},
      {"recursion", "?A +A"},
  });
}

TEST(Stories, OfHardInterrupts) {
  expect({
      {"ok", "(i +A -A i) [h +A -A h]"},
      {"state", "[h +A -A h] +A"},
      {"state", "+A -A [h +A"},
      {"state", "[h +A -A h] (i +A i)"},
      {"state", "[h +A -A h] (b +A"},
      {"state", "+A [h +A"},
      {"ok", "(i (i +A -A i) +A -A i) [h +A -A h]"},
      {"ok", "+A -A [h +B -B h]"},
      {"inversion", "[h +A -A h] (i +A +B -B -A i) +B"},
      {"order", "[h +A -A h] +B -B (i +A +B"},
      {"inversion", "(i +A +B -B -A i) +B -B [h +A"},
      {"inversion", "[h +A -A h] (i +A +B -B -A +B +C -C -B i) +C"},
      {"order", "[h +A -A h] +C -C (i +A +B -B -A +B +C"},
      {"order", "[h +A -A h] +C -C (i +B +C -C -B +A +B"},
      {"ok", "[h +B -B h] +A (i +B -B i) -A"},
      {"ok", "(i +A [h +B -B h] -A +B +A -A -B i)"},
      {"state", "[t +A -A t] +A"},
      {"ok", "+A -A [h ?A -A h]"},
      {"state", "[h +A -A h] ?A"},
  });
}

TEST(Stories, OfSoftInterrupts) {
  expect({
      {"ok", "(b +A -A b) [s +A -A s]"},
      {"ok", "(i +A -A i) [s +A -A s]"},
      {"state", "[s +A -A s] +A"},
      {"state", "+A -A [s +A"},
      {"state", "[s +A -A s] (b +A b)"},
      {"state", "[s +A -A s] (i +A i)"},
      {"ok", "[s +A -A s] (i (b +A i) -A b)"},
      {"inversion", "[s +A -A s] (b +A +B -B -A b) +B"},
      {"order", "[s +A -A s] +B -B (b +A +B"},
      {"inversion", "(b +A +B -B -A b) +B -B [s +A"},
      {"state", "[s +A -A s] [h +A"},
      {"state", "(b +A -A b) [h +A"},
  });
}

TEST(Stories, OfReadersInInterrupts) {
  expect({
      {"ok", "RA -A [h RA -A h]"},
      {"ok", "rA -A [h RA -A h]"},
      {"inversion", "rA -A [h rA"},
      {"state", "RA -A [h +A"},
      {"state", "+A -A [h RA"},
      {"state", "[h RA -A h] +A"},
      {"ok", "[h RA -A h] RA -A (i +A -A i)"},
      {"inversion", "[h RA -A h] (i +A +B -B -A i) +B"},
      {"ok", "[h RA -A h] (i RA +B -B -A i) +B"},
      {"order", "[h RA -A h] RB -B (i +A +B"},
      {"ok", "[h +A -A h] RB -B (i +A RB"},
      {"order", "[h +A -A h] +B -B (i +A RB"},
      {"order", "[h +A -A h] +C -C (i +A RB +C"},
      {"ok", "[s RA -A s] RA"},
      {"state", "[s RA -A s] +A"},
  });
}

TEST(Stories, OfWaiting) {
  expect({
      {"wait", "+A +K"},     {"wait", "+A +P"},     {"wait", "+K +P"},       {"ok", "+P +K +A"},
      {"ok", "+A ?K"},       {"wait", "+A ?K +L"},  {"wait", "+A ?P +K"},    {"wait", "?P +A -P +K"},
      {"ok", "?P +A -A +K"}, {"wait", "(i +A rK"},  {"wait", "[h +K"},       {"ok", "[h +A"},
      {"ok", "[t +K"},       {"wait", "[t +P"},     {"wait", "[t [h +K"},    {"ok", "[s +K"},
      {"wait", "[s +P"},     {"ok", "(i +A [s +K"}, {"wait", "[s +A [h +K"}, {"ok", "+U +P -P -U +A +U"},
      {"ok", "+A RX"},       {"ok", "RX +K"},       {"wait", "RX +P"},       {"wait", "+A RX +K"},
      {"ok", "[h RX"},
  });
}

TEST(Stories, OfNmis) {
  expect({
      {"nmi", "+A -A [n +A"},
      {"nmi", "+A [n +A"},
      {"nmi", "+A [n +A.2"},
      {"nmi", "(i +A -A i) [n +A"},
      {"ok", "[n +A -A n]"},
      {"ok", "[n +A -A n] +A -A"},
      {"ok", "+A -A [n ?A -A n]"},
      {"ok", "+A [n ?A -A n] -A"},
      {"nmi", "RA -A [n +A"},
      {"nmi", "+A -A [n RA"},
      {"ok", "RA -A [n RA -A n]"},
      {"ok", "+A [n ?B -B n] -A +B +A"},
      {"nmi", "+A -A [h [n +A"},
      {"ok", "+A/1 -A [n +A"},
      {"nmi", "?A -A [n +A"},
  });
}

TEST(Stories, OfWhoWaitsForAllReaders) {
  expect({
      {"recursion", "RU ~U"},
      {"recursion", "?RU +P ~U"},
      {"ok", "RU -U ~U"},
      {"ok", "RU ~V"},
      {"cycle", "RU +P -P -U +P ~U"},
      {"cycle", "?RU +P -P -U +P ~U"},
      {"cycle", "+P ~U -P RU +P"},
      {"ok", "+P RU -U -P +P ~U"},
      {"ok", "RU +P -P -U +P RU"},
      {"ok", "~U +P ~U -P"},
      {"ok", "~U [h +U -U h]"},
      {"cycle", "RU ~V -U RV ~U"},
      {"cycle", "RU +P -P -U +P +Q -Q -P +Q ~U"},
  });
}

// An acquisition that was right several times is known by its chain; here the last but one differs from those
// in one thing, and must be looked at.
TEST(Stories, OfAcquisitionsThatWereRightBefore) {
  expect({
      {"state", "[h +A -A h] (i +A -A +A -A +A -A i) +A"},
      {"state", "[s +A -A s] (b +A -A +A -A +A -A b) +A"},
      {"state", "(i +A -A +A -A +A -A i) [h +A -A h] +A"},
      {"state", "(b +A -A +A -A +A -A b) [s +A -A s] +A"},
      {"nmi", "(i +A -A +A -A +A -A [n +A"},
      {"wait", "[t +K -K +K -K +K -K t] [h +K"},
      {"wait", "+A ?K -K ?K -K ?K -K +K"},
      {"cycle", "+A RB -B RB -B RB -B +B -B -A RB +A"},
      {"cycle", "RA +B -B +B -B +B -B -A +A +B -B -A +B RA"},
      {"cycle", "+A ?B -B ?B -B ?B -B +B -B -A +B +A"},
      {"cycle", "+A RB +C -C +C -C +C -C -B -A +A ?RB +C -C -B -A +C +A"},
      {"cycle", "+A +B -B +B -B +B -B +B/1 -B -A +B/1 +A"},
      {"cycle", "(i +A [h +B -B +B -B +B -B h] -A [h +A +B -B -A +B +A"},
      {"cycle", "?B RA +C -C +C -C +C -C -A -B RA ?B +C -C -B -A +C +B"},
      {"cycle", "+A ?B -A +C -C +C -C +C -C -B +A ?B +C -C -B -A +C +A"},
      {"cycle", "+A ?B ?D -A -B +C -C +C -C +C -C -D +A ?B ?D -B +C -C -D -A +C +A"},
      {"cycle", "?D ?B +C -C +C -C +C -C -B -D +A ?B +C -C -B -A +C +A"},
      {"cycle", "RB +C -C +C -C +C -C -B +A RB +C -C -B -A +C +A"},
      {"recursion", "+A -A +A -A +A -A +A +A"},
      {"recursion", "+N +K@N +K.2@N -K -K.2 +K@N +K.2@N -K.2 -K -N +K +K.2"},
      {"ok", "+A +B -A +C -B -C +A +B -A +C -B -C +A +C"},
  });
}

// A start may come with new tables, in which the same numbers stand for other classes.
TEST(Stories, OfAnotherStartAreNotMixedUp) {
  EXPECT_EQ(verdict_on("+A +B -B -A +A +B -B -A +A +B -B -A"), "ok");
  EXPECT_EQ(verdict_on("+B -B +A -A +B +A -A -B +A +B"), "cycle");
}

TEST(Reports, CarryBothSidesOfACycleWithTheirLines) {
  srcu_lockdep_class& a = class_named('A');
  srcu_lockdep_class& b = class_named('B');
  const Proving proving;
  srcu_lockdep_acquire_at(instance('A'), &a, 0, 0, nullptr, "one.c", 11);
  srcu_lockdep_acquire_at(instance('B'), &b, 0, 0, nullptr, "one.c", 12);
  srcu_lockdep_release(instance('B'));
  srcu_lockdep_release(instance('A'));
  srcu_lockdep_acquire_at(instance('B'), &b, 0, 0, nullptr, "two.c", 21);
  srcu_lockdep_acquire_at(instance('A'), &a, 0, 0, nullptr, "two.c", 22);
  ASSERT_EQ(proving.seen.size(), 1U);
  EXPECT_EQ(proving.seen[0].text,
            "======== WARNING: possible circular locking dependency detected ========\n"
            "this thread takes, or holds:\n"
            "  A {2:2}, at two.c:22\n"
            "while it holds:\n"
            "  B {2:2}, at two.c:21\n"
            "the orders that make it so:\n"
            "  under A {2:2}, at one.c:11\n"
            "    then B {2:2}, at one.c:12\n"
            "held by this thread, oldest first:\n"
            "  #0 B {2:2}, at two.c:21\n");
}

TEST(Reports, NameTheUsesThatClash) {
  const Proving proving;
  for (const char* word : {"[h", "+A", "-A", "h]", "(i", "+A", "+B", "-B", "-A", "i)", "+B"}) tell_word(word);
  ASSERT_EQ(proving.seen.size(), 1U);
  const std::string& text = proving.seen[0].text;
  EXPECT_NE(text.find("inconsistent use: {IN-HARDIRQ-W} -> {HARDIRQ-ON-W}"), std::string::npos) << text;
  EXPECT_NE(text.find("used in a handler:\n  A"), std::string::npos) << text;
  EXPECT_NE(text.find("used with interrupts on:\n  B"), std::string::npos) << text;
  EXPECT_NE(text.find("under A {2:2}, at story:1\n    then B"), std::string::npos) << text;
}

TEST(Reports, HaveTheWholeChainInOrder) {
  const Proving proving;
  for (const char* word :
       {"+A", "+B", "-B", "-A", "+B", "+C", "-C", "-B", "+C", "+D", "-D", "-C", "+D", "+A"})
    tell_word(word);
  ASSERT_EQ(proving.seen.size(), 1U);
  const std::string& text = proving.seen[0].text;
  size_t at = 0;
  for (const char* step :
       {"under A", "then B", "under B", "then C", "under C", "then D", "held by this thread"}) {
    at = text.find(step, at);
    ASSERT_NE(at, std::string::npos) << step << " in " << text;
  }
}

TEST(Reports, ComeOnceAndTheProverGoesOn) {
  const Proving proving;
  for (int round = 0; round < 3; ++round)
    for (const char* word : {"+A", "+B", "-B", "-A", "+B", "+A", "-A", "-B"}) tell_word(word);
  EXPECT_EQ(proving.seen.size(), 1U);
  for (const char* word : {"+C", "+D", "-D", "-C", "+D", "+C", "-C", "-D"}) tell_word(word);
  EXPECT_EQ(proving.seen.size(), 2U);
  // What closed the cycle is no part of the graph, or everything behind it would be a cycle, too.
  for (const char* word : {"+A", "+E", "-E", "-A", "+E", "+B", "-B", "-E"}) tell_word(word);
  EXPECT_EQ(proving.seen.size(), 2U);
  // These are looked at anew each time, since they are wrong each time.
  for (int round = 0; round < 3; ++round)
    for (const char* word : {"+F", "+F.2", "-F.2", "-F", "+G", "+K", "-K", "-G", "[n", "+F", "-F", "n]"})
      tell_word(word);
  EXPECT_EQ(proving.seen.size(), 5U);
}

TEST(Held, IsWhatWasTakenAndNotReleased) {
  const Proving proving;
  srcu_lockdep_acquire(instance('A'), &class_named('A'), SRCU_LOCKDEP_WRITE);
  srcu_lockdep_acquire(instance('B'), &class_named('B'), SRCU_LOCKDEP_WRITE);
  srcu_lockdep_release(instance('A'));
  EXPECT_FALSE(srcu_lockdep_holds(instance('A')));
  EXPECT_TRUE(srcu_lockdep_holds(instance('B')));
  EXPECT_FALSE(srcu_lockdep_holds_class(&class_named('A')));
  EXPECT_TRUE(srcu_lockdep_holds_class(&class_named('B')));
  srcu_lockdep_assert_held(instance('B'));
  char text[256];
  EXPECT_GT(srcu_lockdep_describe(srcu_lockdep_self(), text, sizeof text), 0);
  EXPECT_NE(strstr(text, "B {2:2}, at "), nullptr) << text;
  srcu_lockdep_release(instance('B'));
  EXPECT_EQ(srcu_lockdep_describe(srcu_lockdep_self(), text, sizeof text), 0);
  EXPECT_EQ(srcu_lockdep_get_stats().unmatched, 0U);
  srcu_lockdep_release(instance('B'));
  EXPECT_EQ(srcu_lockdep_get_stats().unmatched, 1U);
}

TEST(HeldDeathTest, IsAsserted) {
  const Proving proving;
  EXPECT_DEATH(srcu_lockdep_assert_held(instance('A')),
               "lockdep_test.cpp:[0-9]+: instance..A.. shall be held here");
}

TEST(Switch, OffNothingIsNoted) {
  { const Proving proving; }
  srcu_lockdep_acquire(instance('A'), &class_named('A'), SRCU_LOCKDEP_WRITE);
  srcu_lockdep_acquire(instance('A'), &class_named('A'), SRCU_LOCKDEP_WRITE);
  EXPECT_FALSE(srcu_lockdep_holds(instance('A')));
  EXPECT_EQ(srcu_lockdep_get_stats().reports, 0U);
  EXPECT_EQ(srcu_lockdep_get_stats().classes, 0U);
}

TEST(Switch, WhatWasHeldAtAStopIsForgottenAtTheNextStart) {
  const Proving proving;
  srcu_lockdep_acquire(instance('A'), &class_named('A'), SRCU_LOCKDEP_WRITE);
  srcu_lockdep_stop();
  srcu_lockdep_start();
  srcu_lockdep_acquire(instance('A'), &class_named('A'), SRCU_LOCKDEP_WRITE);
  EXPECT_TRUE(proving.seen.empty());
}

TEST(Graph, IsShownToThoseWhoAsk) {
  const Proving proving;
  for (const char* word : {"(i", "+A", "+B", "-B", "-A", "i)", "+B", "-B"}) tell_word(word);
  std::vector<std::string> edges;
  srcu_lockdep_for_each_edge(
      [](const srcu_lockdep_link* link, void* to) {
        static_cast<std::vector<std::string>*>(to)->push_back(std::string(link->from.lock_class->name) +
                                                              link->to.lock_class->name);
      },
      &edges);
  EXPECT_EQ(edges, std::vector<std::string>{"AB"});
  EXPECT_FALSE(srcu_lockdep_usage_of(&class_named('A'), 0) & SRCU_LOCKDEP_HARDIRQS_ON);
  EXPECT_TRUE(srcu_lockdep_usage_of(&class_named('B'), 0) & SRCU_LOCKDEP_HARDIRQS_ON);
}

}  // namespace
}  // namespace srcu::test
