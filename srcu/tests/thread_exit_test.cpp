// Threads that end: between sections, inside one, and with destructors that still read and post when the library's own
// has run.
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "srcu/tests/reader_kinds.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::eventually;

class ExitingThread : public test::EachReader {};

INSTANTIATE_TEST_SUITE_P(, ExitingThread, testing::ValuesIn(test::kReaderKinds), test::name_of);

TEST_P(ExitingThread, NeedsNoCareBetweenSections) {
  for (int i = 0; i < 50; ++i) std::jthread([&] { unlock(lock()); }).join();
  EXPECT_EQ(srcu_open_sections(domain), 0);
  synchronize_srcu(domain);
}

// A section is not ended by its thread's end. It is closed here as nobody else may.
TEST_P(ExitingThread, LeavesItsSectionOpen) {
  const uint32_t rank = usage.rank;
  std::jthread([&] { lock(); }).join();
  const unsigned long cookie = start_poll_synchronize_srcu(domain);
  ASSERT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
  std::jthread([&] { unlock(lock()); }).join();  // has the same slot
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, cookie));
  close_section(usage, rank);
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

/// glibc's number of rounds, less the last where ThreadSanitizer takes that for the thread's end.
#ifdef SRCU_TSAN
constexpr int kRounds = PTHREAD_DESTRUCTOR_ITERATIONS - 1;
#else
constexpr int kRounds = PTHREAD_DESTRUCTOR_ITERATIONS;
#endif

/// What a late destructor does. One for each round of destructors that glibc goes through.
struct Late {
  srcu_struct* ssp;
  test::Token (*lock)(srcu_struct*);
  void (*unlock)(srcu_struct*, test::Token);
  pthread_key_t key;
  std::array<Counted, kRounds> counted;
  std::atomic<unsigned> rounds{0}, without_number{0};

  void run() {
    const test::Token token = lock(ssp);
    counted[rounds].post(ssp);
    without_number += srcu_slot_offset == 0;
    unlock(ssp, token);
    if (++rounds < counted.size()) pthread_setspecific(key, this);
  }
};

TEST_P(ExitingThread, ReadsAndPostsInLateDestructors) {
  Late late{};
  late.ssp = domain;
  late.lock = GetParam().lock;
  late.unlock = GetParam().unlock;
  ASSERT_EQ(pthread_key_create(&late.key, [](void* self) { static_cast<Late*>(self)->run(); }), 0);
  std::jthread([&] {
    unlock(lock());
    pthread_setspecific(late.key, &late);
  }).join();
  pthread_key_delete(late.key);
  EXPECT_EQ(late.rounds, late.counted.size());
  EXPECT_GT(late.without_number, 0u) << "none was later than the library's own destructor";
  srcu_barrier(domain);
  for (const Counted& each : late.counted) EXPECT_EQ(each.times(), 1u);
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

// The first section of a thread is also its last act: nothing runs later that could give its number back.
TEST_P(ExitingThread, ReadsInLateDestructorsAlone) {
  static const test::ReaderKind* kind;
  static srcu_struct* ssp;
  static pthread_key_t key;
  kind = &GetParam(), ssp = domain;
  ASSERT_EQ(pthread_key_create(&key, [](void*) {
              static thread_local int rounds = 0;
              if (++rounds < kRounds) return (void)pthread_setspecific(key, &key);
              kind->unlock(ssp, kind->lock(ssp));
            }),
            0);
  const uint32_t before = threads_ever();
  for (int i = 0; i < 300; ++i) std::jthread([&] { pthread_setspecific(key, &key); }).join();
  pthread_key_delete(key);
  EXPECT_LE(threads_ever(), 2 * std::max(before, 16u) + 8) << "numbers leak, and sums grow";
  EXPECT_EQ(srcu_open_sections(domain), 0);
  synchronize_srcu(domain);
}

TEST_P(ExitingThread, ALateSectionIsWaitedFor) {
  static const test::ReaderKind* kind;
  static srcu_struct* ssp;
  static test::Flag open, go;
  kind = &GetParam(), ssp = domain;
  open.reset(), go.reset();
  static pthread_key_t key;
  ASSERT_EQ(pthread_key_create(&key, [](void*) {
              static thread_local int again = 0;
              if (srcu_slot_offset != 0 && ++again < kRounds)  // too early
                return (void)pthread_setspecific(key, &key);
              const test::Token token = kind->lock(ssp);
              open.set();
              EXPECT_TRUE(go.wait());
              kind->unlock(ssp, token);
            }),
            0);
  std::jthread thread([&] {
    unlock(lock());
    pthread_setspecific(key, &key);
  });
  ASSERT_TRUE(open.wait());
  const unsigned long cookie = start_poll_synchronize_srcu(domain);
  EXPECT_TRUE(eventually([&] { return test::state_of(usage) == GpState::kScan2; }));
  EXPECT_FALSE(poll_state_synchronize_srcu(domain, cookie));
  go.set();
  EXPECT_TRUE(eventually([&] { return poll_state_synchronize_srcu(domain, cookie); }));
  thread.join();
  pthread_key_delete(key);
}

/// What a C++ thread_local does in its destructor.
struct Destroyed {
  srcu_struct* ssp = nullptr;
  Counted* counted = nullptr;
  ~Destroyed() {
    if (!ssp) return;
    const int token = srcu_down_read(ssp);
    counted->post(ssp);
    srcu_up_read(ssp, token);
    synchronize_srcu(ssp);
  }
};
thread_local Destroyed destroyed_after, destroyed_before;

TEST(ThreadExit, MayUseItInThreadLocalDestructors) {
  test::Domain domain;
  std::array<Counted, 2> counted;
  std::jthread([&] {
    destroyed_after.ssp = domain, destroyed_after.counted = &counted[0];
    srcu_read_unlock(domain, srcu_read_lock(domain));
    destroyed_before.ssp = domain, destroyed_before.counted = &counted[1];
  }).join();
  srcu_barrier(domain);
  for (const Counted& each : counted) EXPECT_EQ(each.times(), 1u);
  EXPECT_EQ(srcu_open_sections(domain), 0);
}

TEST(ThreadExit, MayPostAsItsLastAct) {
  test::Domain domain;
  std::vector<Counted> counted(200);
  for (Counted& each : counted) std::jthread([&] { each.post(domain); }).join();
  srcu_barrier(domain);
  for (const Counted& each : counted) EXPECT_EQ(each.times(), 1u);
}

}  // namespace
}  // namespace srcu
