#include "srcu/core/cblist.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace srcu {
namespace {

std::vector<rcu_head*> taken(CallbackList& list) {
  std::vector<rcu_head*> all;
  for (rcu_head* head = list.extract_done(); head; head = head->next) all.push_back(head);
  return all;
}

class CallbackListTest : public testing::Test {
 protected:
  using Heads = std::vector<rcu_head*>;
  rcu_head a, b, c, d;
  CallbackList list;

  void post(rcu_head& head, uint64_t seq) {
    list.enqueue(&head);
    ASSERT_TRUE(list.accelerate(seq));
  }
};

TEST_F(CallbackListTest, EmptyHasNothingReady) {
  EXPECT_EQ(list.count(), 0u);
  EXPECT_FALSE(list.done_ready());
  EXPECT_EQ(list.extract_done(), nullptr);
  list.advance(1000);
  EXPECT_FALSE(list.done_ready());
  EXPECT_TRUE(list.accelerate(4)) << "nothing to number is no failure";
}

TEST_F(CallbackListTest, WithoutANumberNothingIsEverReady) {
  list.enqueue(&a);
  list.advance(1000);
  EXPECT_FALSE(list.done_ready());
  EXPECT_EQ(list.count(), 1u);
}

TEST_F(CallbackListTest, WaitIsReadyAtItsGracePeriodAndNotBefore) {
  post(a, 8);
  list.advance(7);
  EXPECT_FALSE(list.done_ready());
  list.advance(8);
  EXPECT_TRUE(list.done_ready());
  EXPECT_EQ(taken(list), Heads{&a});
  EXPECT_FALSE(list.done_ready());
}

TEST_F(CallbackListTest, EachSegmentWaitsForItsOwnGracePeriod) {
  post(a, 8);   // WAIT
  post(b, 12);  // NEXT_READY
  list.enqueue(&c);  // NEXT
  EXPECT_FALSE(list.accelerate(16)) << "both numbered segments are taken";
  list.advance(8);  // NEXT_READY moves up
  EXPECT_TRUE(list.accelerate(16));
  EXPECT_EQ(taken(list), Heads{&a});
  list.advance(12);
  EXPECT_EQ(taken(list), Heads{&b});
  list.advance(15);
  EXPECT_FALSE(list.done_ready());
  list.advance(16);
  EXPECT_EQ(taken(list), Heads{&c});
}

TEST_F(CallbackListTest, TheSameGracePeriodIsJoined) {
  post(a, 8);
  post(b, 8);
  post(c, 12);
  post(d, 12);
  list.advance(8);
  EXPECT_EQ(taken(list), (Heads{&a, &b}));
  list.advance(12);
  EXPECT_EQ(taken(list), (Heads{&c, &d}));
}

TEST_F(CallbackListTest, ALaterGracePeriodIsJoinedByAnEarlierWish) {
  post(a, 12);
  post(b, 8);  // taken before a's, filed after: it may wait longer, never shorter
  list.advance(8);
  EXPECT_FALSE(list.done_ready());
  list.advance(12);
  EXPECT_EQ(taken(list), (Heads{&a, &b}));
}

TEST_F(CallbackListTest, ASkippedGracePeriodMakesAllReadyInOrder) {
  post(a, 8);
  post(b, 12);
  list.advance(12);
  EXPECT_EQ(taken(list), (Heads{&a, &b}));
}

TEST_F(CallbackListTest, NumbersCompareAcrossTheWrap) {
  post(a, 0);  // now is four before
  list.advance(uint64_t{0} - 2);
  EXPECT_FALSE(list.done_ready());
  list.advance(0);
  EXPECT_TRUE(list.done_ready());
}

TEST_F(CallbackListTest, TakenOnesCountUntilTheyHaveRun) {
  post(a, 8);
  post(b, 8);
  list.advance(8);
  EXPECT_EQ(taken(list).size(), 2u);
  EXPECT_EQ(list.count(), 2u);
  list.ran(2);
  EXPECT_EQ(list.count(), 0u);
}

TEST_F(CallbackListTest, EntrainRefusesAnEmptyList) {
  EXPECT_FALSE(list.entrain(&a));
  EXPECT_EQ(list.count(), 0u);
}

TEST_F(CallbackListTest, EntrainedBehindTheLastOfEachSegment) {
  post(a, 8);
  EXPECT_TRUE(list.entrain(&b));  // last is in WAIT
  list.advance(8);
  EXPECT_TRUE(list.entrain(&c));  // last is in DONE
  EXPECT_EQ(taken(list), (Heads{&a, &b, &c}));
}

TEST_F(CallbackListTest, EntrainedBehindNextIsNumberedWithIt) {
  list.enqueue(&a);
  EXPECT_TRUE(list.entrain(&b));
  EXPECT_TRUE(list.accelerate(8));
  list.advance(8);
  EXPECT_EQ(taken(list), (Heads{&a, &b}));
}

TEST_F(CallbackListTest, EntrainedWhileAllOthersRunIsReadyAtOnce) {
  post(a, 8);
  list.advance(8);
  EXPECT_EQ(taken(list), Heads{&a});
  EXPECT_TRUE(list.entrain(&b)) << "a has not run yet";
  EXPECT_TRUE(list.done_ready());
  EXPECT_EQ(taken(list), Heads{&b});
}

// The same as plainly as can be: a queue of callbacks, each with the number that it waits for.
class Model {
 public:
  struct Entry {
    rcu_head* head;
    bool done, numbered;
    uint64_t seq;
  };

  void enqueue(rcu_head* head) { entries_.push_back({head, false, false, 0}); }

  void advance(uint64_t seq) {
    for (Entry& entry : entries_) {
      if (!entry.done && !(entry.numbered && seq_done(seq, entry.seq))) break;
      entry.done = true;
    }
  }

  bool accelerate(uint64_t seq) {
    if (entries_.empty() || entries_.back().done || entries_.back().numbered) return true;
    uint64_t joined = seq;
    std::vector<uint64_t> waited_for;
    for (const Entry& entry : entries_)
      if (!entry.done && entry.numbered && (waited_for.empty() || waited_for.back() != entry.seq))
        waited_for.push_back(entry.seq);
    const auto found = std::find_if(waited_for.begin(), waited_for.end(), [seq](uint64_t s) { return seq_done(s, seq); });
    if (found != waited_for.end())
      joined = *found;
    else if (waited_for.size() == 2)
      return false;
    for (Entry& entry : entries_)
      if (!entry.done && !entry.numbered) entry.numbered = true, entry.seq = joined;
    return true;
  }

  bool entrain(rcu_head* head) {
    if (entries_.empty() && running_ == 0) return false;
    Entry entry = entries_.empty() ? Entry{head, true, true, 0} : entries_.back();
    entry.head = head;
    entries_.push_back(entry);
    return true;
  }

  std::vector<rcu_head*> take() {
    std::vector<rcu_head*> all;
    for (; !entries_.empty() && entries_.front().done; entries_.pop_front()) all.push_back(entries_.front().head);
    running_ += all.size();
    return all;
  }
  void ran(uint64_t number) { running_ -= number; }

  uint64_t running() const { return running_; }
  uint64_t count() const { return entries_.size() + running_; }
  bool done_ready() const { return !entries_.empty() && entries_.front().done; }

 private:
  std::deque<Entry> entries_;
  uint64_t running_ = 0;
};

// As the library uses it: numbers never fall, and a list is advanced before it is numbered.
TEST(CallbackList, AgreesWithAPlainQueueUnderRandomOperations) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    CallbackList list;
    Model model;
    std::vector<std::unique_ptr<rcu_head>> heads;
    uint64_t now = kSeqFirst + 95 * kSeqGp;  // a few before the wrap
    for (int i = 0; i < 2000; ++i) {
      switch (random() % 7) {
        case 0:
        case 1: {
          heads.push_back(std::make_unique<rcu_head>());
          list.enqueue(heads.back().get());
          model.enqueue(heads.back().get());
          if (random() % 4) {
            list.advance(now);
            model.advance(now);
            ASSERT_TRUE(list.accelerate(seq_snap(now)));
            ASSERT_TRUE(model.accelerate(seq_snap(now)));
          }
          break;
        }
        case 2:
          heads.push_back(std::make_unique<rcu_head>());
          ASSERT_EQ(list.entrain(heads.back().get()), model.entrain(heads.back().get()));
          break;
        case 3:
          now = seq_state(now) == GpState::kScan2 ? seq_end(now) : now + 1;
          break;
        case 4:
          list.advance(now);
          model.advance(now);
          break;
        case 5:
          ASSERT_EQ(taken(list), model.take());
          break;
        case 6: {
          const uint64_t some = model.running() ? random() % (model.running() + 1) : 0;
          list.ran(some);
          model.ran(some);
          break;
        }
      }
      ASSERT_EQ(list.count(), model.count()) << "seed " << seed << " step " << i;
      ASSERT_EQ(list.done_ready(), model.done_ready()) << "seed " << seed << " step " << i;
    }
    now += 3 * kSeqGp;
    list.advance(now), model.advance(now);
    list.accelerate(now), model.accelerate(now);
    list.advance(now), model.advance(now);
    ASSERT_EQ(taken(list), model.take());
    ASSERT_EQ(list.count(), model.count());
  }
}

}  // namespace
}  // namespace srcu
