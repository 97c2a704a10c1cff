// What holds for each kind of reader: its sections are waited for, by whoever waits, and by nobody else.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <thread>
#include <vector>

#include "srcu/core/usage.hpp"
#include "srcu/tests/reader_kinds.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;
using test::eventually;
using test::Flag;

class Reader : public test::EachReader {
 protected:
  // Opens a section in a thread that sleeps in it until the grace period has begun, and longer; `wait` must return
  // after the section's end, and see what it did: `seen` is no atomic.
  void waits_for_a_sleeper(const std::function<void()>& wait) {
    Flag open, returned;
    bool seen = false;
    std::jthread reader([&] {
      const test::Token token = lock();
      open.set();
      EXPECT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2 || returned.is_set(); }));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));  // time to go wrong in
      EXPECT_FALSE(returned.is_set());
      seen = true;
      unlock(token);
    });
    ASSERT_TRUE(open.wait());
    wait();
    EXPECT_TRUE(seen);
    returned.set();
  }
};

INSTANTIATE_TEST_SUITE_P(, Reader, testing::ValuesIn(test::kReaderKinds), test::name_of);

TEST_P(Reader, IsWaitedForBySynchronize) {
  waits_for_a_sleeper([&] { synchronize_srcu(domain); });
}

TEST_P(Reader, IsWaitedForBySynchronizeExpedited) {
  waits_for_a_sleeper([&] { synchronize_srcu_expedited(domain); });
}

TEST_P(Reader, IsWaitedForByACallback) {
  waits_for_a_sleeper([&] {
    Counted counted;
    counted.post(domain);
    EXPECT_TRUE(eventually([&] { return counted.times() == 1; }));
    srcu_barrier(domain);
  });
}

TEST_P(Reader, IsWaitedForByABarrier) {
  waits_for_a_sleeper([&] {
    Counted counted;
    counted.post(domain);
    srcu_barrier(domain);
    EXPECT_EQ(counted.times(), 1u);
  });
}

TEST_P(Reader, IsWaitedForByAPoll) {
  waits_for_a_sleeper([&] {
    const unsigned long cookie = start_poll_synchronize_srcu(domain);
    EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
  });
}

TEST_P(Reader, ThatComesLaterIsNotWaitedFor) {
  const test::Token old = lock();
  Flag returned;
  std::jthread waiter([&] {
    synchronize_srcu(domain);
    returned.set();
  });
  ASSERT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
  const test::Token late = lock();
  unlock(old);
  EXPECT_TRUE(returned.wait());
  unlock(late);
}

TEST_P(Reader, OfAnotherDomainIsNotWaitedFor) {
  const test::Token token = lock();
  Domain other(GetParam().init);
  synchronize_srcu(other);
  Counted counted;
  counted.post(other);
  srcu_barrier(other);
  EXPECT_EQ(counted.times(), 1u);
  unlock(token);
}

TEST_P(Reader, NestsAndTheOuterCounts) {
  std::vector<test::Token> tokens;
  for (int i = 0; i < 1000; ++i) tokens.push_back(lock());
  EXPECT_EQ(srcu_open_sections(domain), 1000);
  const unsigned long cookie = start_poll_synchronize_srcu(domain);
  ASSERT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
  for (; tokens.size() > 1; tokens.pop_back()) unlock(tokens.back());
  EXPECT_EQ(srcu_open_sections(domain), 1);
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, cookie));
  unlock(tokens.front());
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
}

// Sections that overlap without nesting, across a flip: each closes its own rank.
TEST_P(Reader, SectionsMayOverlapInAnyOrder) {
  const test::Token first = lock();
  const unsigned long cookie = start_poll_synchronize_srcu(domain);
  ASSERT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
  const test::Token second = lock();
  EXPECT_NE(first, second) << "no flip";
  unlock(first);
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
  const unsigned long later = start_poll_synchronize_srcu(domain);
  ASSERT_TRUE(eventually([&] { return test::state_of(usage) != GpState::kIdle; }));
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, later));
  unlock(second);
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, later); }));
}

TEST_P(Reader, MayPostAndPollInsideItsSection) {
  Counted counted;
  const test::Token token = lock();
  counted.post(domain);
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, start_poll_synchronize_srcu(domain)));
  EXPECT_EQ(counted.times(), 0u);
  unlock(token);
  srcu_barrier(domain);
  EXPECT_EQ(counted.times(), 1u);
}

class UpdownReader : public Reader {};

INSTANTIATE_TEST_SUITE_P(, UpdownReader, testing::ValuesIn(test::kUpdownKinds), test::name_of);

TEST_P(UpdownReader, IsClosedByAnotherThread) {
  test::Token token = 0;
  std::jthread([&] { token = lock(); }).join();
  const unsigned long cookie = start_poll_synchronize_srcu(domain);
  ASSERT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, cookie));
  std::jthread([&] { unlock(token); }).join();
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

/// What readers follow and an updater replaces.
struct Element {
  uint64_t value, same;
};

// Readers, updaters that wait, and updaters that post, on real cores: nobody sees an element after its end.
TEST_P(Reader, SeesNoElementAfterItsEnd) {
  Element* current = new Element{1, 1};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> reads{0}, wrong{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      uint64_t own = 0, own_wrong = 0;
      for (; !stop.load(std::memory_order_relaxed); ++own) {
        const test::Token token = lock();
        const Element* element = srcu_dereference(current, &domain);
        own_wrong += element->value != element->same || element->value == 0;
        unlock(token);
        if (own % 1024 == 0) reads += 1024;
      }
      wrong += own_wrong;
    });
  }
  const auto replace = [&](uint64_t value) {
    Element* const old = current;
    rcu_assign_pointer(current, (new Element{value, value}));
    return old;
  };
  const auto end = [](Element* old) {
    old->value = 0;
    old->same = 1;
    delete old;
  };
  const auto end_time = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  for (unsigned i = 0; reads < 50'000 || std::chrono::steady_clock::now() < end_time; ++i) {
    Element* const old = replace(i + 2);
    if (i % 2)
      synchronize_srcu(domain);
    else
      synchronize_srcu_expedited(domain);
    end(old);
  }
  stop = true;
  readers.clear();
  delete current;
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

}  // namespace
}  // namespace srcu
