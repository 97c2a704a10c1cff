// The same library with sums that are compared modulo 8, so that they wrap all the time. DESIGN.md, section 4: it works
// as long as threads and nested sections are fewer than 8 together.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "srcu/tests/manual_host.hpp"
#include "srcu/tests/reader_kinds.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

class NarrowMachine : public test::OnManualHost {};

TEST_F(NarrowMachine, SevenOpenSectionsAreSeenAndEightAreNot) {
  for (unsigned before = 0; before < 20; ++before) {  // closed sections shift where the sums wrap
    for (unsigned open_now = 1; open_now <= 8; ++open_now) {
      const uint32_t rank = current();
      for (unsigned i = 0; i < open_now; ++i) open(rank);
      const uint64_t cookie = ask();
      turn();
      EXPECT_EQ(done(usage, cookie), open_now == 8) << before << " " << open_now;
      for (unsigned i = 0; i < open_now; ++i) close(rank);
      turn();
      EXPECT_TRUE(done(usage, cookie));
    }
    open(current());
    close(current());
  }
}

// New readers open any number of sections in the current rank while it is looked at: one old section and seven new ones
// in the midst of a look would pass for none.
TEST_F(NarrowMachine, NoLookDependsOnHowManySectionsAreOpenedMeanwhile) {
  // A look takes long where there are many slots.
  own_slot();
  const size_t own = srcu_slot_offset;
  for (int i = 0; i < 1000; ++i) srcu_slot_offset = 0, take_thread_number();
  srcu_slot_offset = own;
  std::atomic<bool> stop{false};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) close_section(usage, open_section(usage));
    });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  unsigned missed = 0;
  while (std::chrono::steady_clock::now() < end) {
    const uint32_t rank = current();
    open(rank);
    const uint64_t cookie = ask();
    turn();
    missed += done(usage, cookie);
    close(rank);
    while (!done(usage, cookie)) turn();
  }
  stop = true;
  EXPECT_EQ(missed, 0u);
}

struct Element {
  std::atomic<bool> alive{true};
};

class NarrowReader : public test::EachReader {};

INSTANTIATE_TEST_SUITE_P(, NarrowReader, testing::Values(test::kNormal, test::kFast), test::name_of);

// Three readers and two updaters: five threads, none nests.
TEST_P(NarrowReader, SeesNoElementAfterItsEnd) {
  std::array<Element*, 2> current = {new Element, new Element};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> reads{0}, dead{0};
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      for (uint64_t own = 1; !stop.load(std::memory_order_relaxed); ++own) {
        const test::Token token = lock();
        const Element* element = srcu_dereference(current[(own + i) % 2], &domain);
        for (volatile unsigned stay = 0; stay < own % 64;) stay = stay + 1;
        if (!element->alive.load(std::memory_order_relaxed)) ++dead;
        unlock(token);
        if (own % 64 == 0) reads += 64;
      }
    });
  }
  for (unsigned i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      while (!stop.load(std::memory_order_relaxed)) {
        Element* const old = current[i];
        rcu_assign_pointer(current[i], new Element);
        i ? synchronize_srcu(domain) : synchronize_srcu_expedited(domain);
        old->alive = false;
        delete old;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  EXPECT_TRUE(test::eventually([&] { return reads > 1000 && srcu_batches_completed(domain) > 50; }));
  stop = true;
  threads.clear();
  for (Element* each : current) delete each;
  EXPECT_EQ(dead, 0u);
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

}  // namespace
}  // namespace srcu
