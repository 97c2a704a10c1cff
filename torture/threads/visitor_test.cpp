#include "torture/threads/visitor.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace torture {
namespace {

/// A scheme that does nothing, so that the test decides what a reader finds.
Ops nothing() {
  Ops ops{};
  ops.version = SRCUTORTURE_OPS_VERSION;
  ops.size = sizeof(Ops);
  ops.name = "nothing";
  ops.facts = SRCUTORTURE_NESTS;
  ops.read_lock = [](void*, void*) -> uint64_t { return 0; };
  ops.read_unlock = [](void*, void*, uint64_t) {};
  return ops;
}

Phase phase() {
  return {.name = "test", .nesting = true, .private_flags = true, .readers = 1, .updaters = 1};
}

class VisitorTest : public testing::Test {
 protected:
  Visitor make() { return Visitor(ops_, nullptr, {&station_}, peers_, 0, Level::kTask, 1); }
  Element* published() { return station_.bucket(0).load(); }
  Ops ops_ = nothing();
  Station station_{Shape::of("pointer"), 1, 0};
  std::vector<Visitor*> peers_;
};

TEST_F(VisitorTest, SoundReadsAreCounted) {
  Visitor visitor = make();
  for (int i = 0; i < 1000; ++i) visitor.step(phase());
  EXPECT_GE(visitor.sections(), 1000U);
  EXPECT_EQ(visitor.pipe(0), visitor.sections());
  for (size_t i = 0; i < kChecks; ++i) EXPECT_EQ(visitor.faults().count(static_cast<Check>(i)), 0U);
  EXPECT_EQ(published()->held[0].load(), 0) << "no private flag is left behind";
}

TEST_F(VisitorTest, SectionsOverlapWhatIsWaitedForWhileTheyLast) {
  Visitor visitor = make();
  const auto section = [&visitor] { visitor.leave(visitor.enter(phase())); };
  section();
  EXPECT_EQ(visitor.overlapping(), 0U);
  station_.begin_wait();
  section();
  EXPECT_EQ(visitor.overlapping(), 1U);
  station_.end_wait();
  section();
  EXPECT_EQ(visitor.overlapping(), 1U);
  Element* const posted = station_.replace();
  station_.note_post(posted);
  section();
  EXPECT_EQ(visitor.overlapping(), 2U) << "a callback is waited for, too";
  Station::on_callback(&posted->head);
  section();
  EXPECT_EQ(visitor.overlapping(), 2U);
}

TEST_F(VisitorTest, PipeAboveOneIsTooShort) {
  published()->pipe = 1;
  Visitor visitor = make();
  visitor.plain();
  EXPECT_EQ(visitor.faults().count(Check::kTooShortGp), 0U) << "one may end that began before the section";
  published()->pipe = 2;
  visitor.plain();
  EXPECT_EQ(visitor.faults().count(Check::kTooShortGp), 1U);
  EXPECT_EQ(visitor.pipe(2), 1U);
}

TEST_F(VisitorTest, PoisonIsTooShort) {
  published()->payload = kPoison;
  Visitor visitor = make();
  visitor.plain();
  EXPECT_EQ(visitor.faults().count(Check::kTooShortGp), 1U);
}

TEST_F(VisitorTest, OldPayloadIsMemoryOrder) {
  published()->payload = seal(published()->generation - 1);
  Visitor visitor = make();
  visitor.plain();
  EXPECT_EQ(visitor.faults().count(Check::kMemoryOrder), 1U);
}

TEST_F(VisitorTest, OlderAfterNewerIsMemoryOrder) {
  Element* old = published();
  Visitor visitor = make();
  visitor.plain();
  station_.replace();
  visitor.plain();
  station_.bucket(0).store(old);
  old->pipe = 1;
  visitor.plain();
  EXPECT_EQ(visitor.faults().count(Check::kMemoryOrder), 1U);
}

TEST_F(VisitorTest, ProgressGoneBackwardsIsMemoryOrder) {
  Visitor other = make(), visitor = make();
  peers_ = {&visitor, &other};
  for (int i = 0; i < 5; ++i) other.plain();
  visitor.deliver(Sighting{1, 5}.packed());
  visitor.special(phase());
  EXPECT_EQ(visitor.faults().count(Check::kMemoryOrder), 0U);
  visitor.deliver(Sighting{1, 6}.packed());
  visitor.special(phase());
  EXPECT_EQ(visitor.faults().count(Check::kMemoryOrder), 1U);
}

TEST_F(VisitorTest, CookieDoneInsideIsEarly) {
  ops_.get_state = [](void*) -> uint64_t { return 7; };
  ops_.poll_state = [](void*, uint64_t) { return true; };
  Visitor visitor = make();
  for (int i = 0; i < 2000; ++i) visitor.special(phase());
  EXPECT_GT(visitor.faults().count(Check::kEarlyCookie), 0U);
}

// get_state fences: taken more often it would hide bugs, taken less often it would see none.
TEST_F(VisitorTest, OneSectionIn4096TakesACookieWhateverThePhase) {
  static uint64_t cookies;
  ops_.get_state = [](void*) { return ++cookies; };
  ops_.poll_state = [](void*, uint64_t) { return false; };
  for (const bool nesting : {false, true}) {
    Phase steps = phase();
    steps.nesting = nesting;
    cookies = 0;
    Visitor visitor = make();
    while (visitor.sections() < 400 * 4096) visitor.step(steps);
    EXPECT_NEAR(static_cast<double>(cookies), 400, 60) << "nesting: " << nesting;
  }
}

TEST_F(VisitorTest, NearMissIsTooShortOnlyWhereTheSequenceIsExact) {
  static uint64_t seq;
  ops_.gp_seq = [](void*) { return seq += 2; };
  Visitor visitor = make();
  visitor.plain();
  EXPECT_EQ(visitor.batch(2), 1U);
  EXPECT_EQ(visitor.faults().count(Check::kTooShortGp), 0U) << "the judge goes by the rate";
  ops_.facts |= SRCUTORTURE_GP_SEQ_EXACT;
  visitor.plain();
  visitor.special(phase());
  EXPECT_GE(visitor.faults().count(Check::kTooShortGp), 2U);
}

// The scheme's functions run on the visitor's own thread, as a signal handler would.
TEST_F(VisitorTest, WhereaboutsTellWhatIsOpen) {
  static Visitor* visitor;
  static std::vector<Visitor::Whereabouts> at_lock, inside, at_unlock;
  at_lock = inside = at_unlock = {};
  ops_.read_lock = [](void*, void*) -> uint64_t { return at_lock.push_back(visitor->whereabouts()), 0; };
  ops_.protect = [](void*, void*, void** slot) { return inside.push_back(visitor->whereabouts()), *slot; };
  ops_.read_unlock = [](void*, void*, uint64_t) { at_unlock.push_back(visitor->whereabouts()); };
  Visitor asked = make();
  visitor = &asked;
  EXPECT_EQ(asked.whereabouts().open, 0U);
  for (uint64_t i = 1; i <= 3; ++i) {
    asked.plain();
    EXPECT_EQ(at_lock.back().open, 1U);
    EXPECT_EQ(inside.back().open, 1U);
    EXPECT_EQ(inside.back().entered, i);
    EXPECT_EQ(at_unlock.back().open, 0U);
  }
  uint64_t most = 0;
  for (int i = 0; i < 100; ++i) asked.special(phase());
  for (const auto& now : inside) most = std::max(most, now.open);
  EXPECT_EQ(most, 2U) << "hand over hand";
  EXPECT_EQ(asked.whereabouts().open, 0U);
  EXPECT_EQ(asked.whereabouts().entered, asked.sections());
}

TEST_F(VisitorTest, AttachedToItsThreadUntilDetached) {
  Visitor visitor = make();
  EXPECT_EQ(visitor.tid(), 0);
  visitor.attach(nullptr);
  EXPECT_EQ(visitor.tid(), gettid());
  visitor.detach();
  EXPECT_EQ(visitor.tid(), 0);
}

TEST_F(VisitorTest, GracePeriodsPassedAreCountedAsBatch) {
  static uint64_t seq;
  seq = 0;
  ops_.gp_seq = [](void*) { return seq++; };
  Visitor visitor = make();
  visitor.plain();
  EXPECT_EQ(visitor.batch(1), 1U);
}

TEST(Sighting, RoundTrip) {
  const Sighting there = Sighting::of(Sighting{63, 1234567}.packed());
  EXPECT_EQ(there.who, 63U);
  EXPECT_EQ(there.progress, 1234567U);
  EXPECT_NE((Sighting{0, 0}.packed()), 0U) << "0 means no sighting";
}

}  // namespace
}  // namespace torture
