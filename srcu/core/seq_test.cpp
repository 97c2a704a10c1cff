#include "srcu/core/seq.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace srcu {
namespace {

constexpr uint64_t kHalf = uint64_t{1} << 63;

uint64_t in_state(uint64_t idle, GpState state) { return idle + static_cast<uint64_t>(state); }

TEST(Seq, StateIsTheTwoLowBits) {
  EXPECT_EQ(seq_state(kSeqFirst), GpState::kIdle);
  for (const GpState state : {GpState::kIdle, GpState::kScan1, GpState::kScan2})
    EXPECT_EQ(seq_state(in_state(40, state)), state);
}

TEST(Seq, EndIsTheNextIdle) {
  EXPECT_EQ(seq_end(41), 44u);
  EXPECT_EQ(seq_end(42), 44u);
  EXPECT_EQ(seq_end(in_state(~uint64_t{0} - 3, GpState::kScan2)), 0u) << "across the wrap";
}

TEST(Seq, SnapshotIsTheEndOfTheFirstGracePeriodThatBeginsLater) {
  EXPECT_EQ(seq_snap(40), 44u) << "idle: the next one";
  EXPECT_EQ(seq_snap(41), 48u) << "under way: the one after";
  EXPECT_EQ(seq_snap(42), 48u);
  EXPECT_EQ(seq_snap(uint64_t{0} - 4), 0u) << "across the wrap";
  EXPECT_EQ(seq_snap(uint64_t{0} - 3), 4u);
}

TEST(Seq, DoneFromThereOn) {
  EXPECT_FALSE(seq_done(40, 44));
  EXPECT_FALSE(seq_done(42, 44));
  EXPECT_TRUE(seq_done(44, 44));
  EXPECT_TRUE(seq_done(45, 44));
  EXPECT_FALSE(seq_done(uint64_t{0} - 4, 0)) << "across the wrap";
  EXPECT_TRUE(seq_done(0, uint64_t{0} - 4));
  EXPECT_TRUE(seq_done(0, 0));
}

TEST(Seq, DoneExactTakesVeryOldCookiesForDone) {
  EXPECT_FALSE(seq_done(100, 100 + kHalf - 4)) << "plain comparison: nearly half of all numbers ahead";
  EXPECT_TRUE(seq_done_exact(100, 100 + kHalf - 4));
  EXPECT_TRUE(seq_done_exact(100, 100 - kHalf + 4));
  EXPECT_TRUE(seq_done_exact(100, 100 + kHalf));
}

TEST(Seq, DoneExactBelievesEverySnapshot) {
  for (const uint64_t now : {uint64_t{0} - 8, uint64_t{0} - 4, uint64_t{0}, uint64_t{40}}) {
    for (const GpState state : {GpState::kIdle, GpState::kScan1, GpState::kScan2}) {
      const uint64_t cookie = seq_snap(in_state(now, state));
      for (uint64_t then = in_state(now, state); then != cookie; ++then)
        EXPECT_FALSE(seq_done_exact(then, cookie)) << then << " " << cookie;
      EXPECT_TRUE(seq_done_exact(cookie, cookie));
    }
  }
}

TEST(Seq, TheCompletedCookieIsAlwaysDoneAndNoSnapshot) {
  for (const uint64_t now : {kSeqFirst, uint64_t{0} - 4, uint64_t{0}, uint64_t{1}, kHalf}) {
    EXPECT_TRUE(seq_done_exact(now, kSeqCompleted));
    EXPECT_NE(seq_snap(now), kSeqCompleted);
  }
}

// Every state of 300 grace periods from the first number on, which wraps after 100: a cookie is done at the end of the
// first grace period that began after it was taken, and stays done.
TEST(Seq, CookiesAgreeWithCountingAcrossTheWrap) {
  constexpr uint64_t kGps = 300;
  struct Cookie {
    uint64_t seq, done_after;  // grace periods ended
  };
  std::vector<Cookie> cookies;
  uint64_t seq = kSeqFirst;
  for (uint64_t ended = 0; ended < kGps; ++ended) {
    for (const GpState state : {GpState::kIdle, GpState::kScan1, GpState::kScan2}) {
      seq = in_state(seq & ~kSeqState, state);
      cookies.push_back({seq_snap(seq), ended + (state == GpState::kIdle ? 1 : 2)});
      for (const Cookie& cookie : cookies) {
        ASSERT_EQ(seq_done(seq, cookie.seq), ended >= cookie.done_after) << ended;
        ASSERT_EQ(seq_done_exact(seq, cookie.seq), ended >= cookie.done_after) << ended;
      }
    }
    seq = seq_end(seq);
  }
  EXPECT_LT(seq, kSeqFirst) << "it has not wrapped";
}

}  // namespace
}  // namespace srcu
