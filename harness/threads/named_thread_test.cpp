#include "harness/threads/named_thread.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/topology/bind.hpp"

namespace harness {
namespace {

TEST(ShortThreadName, KeepsTheIndex) {
  EXPECT_EQ(short_thread_name("reader/0"), "reader/0");
  EXPECT_EQ(short_thread_name("exactly15bytes!"), "exactly15bytes!");
  EXPECT_EQ(short_thread_name("rcu_torture_reader/12"), "rcu_torture_/12");
  EXPECT_EQ(short_thread_name("without_any_index"), "without_any_ind");
  EXPECT_EQ(short_thread_name("a/an_index_that_is_too_long"), "a/an_index_that");
}

TEST(NamedThread, HasItsNameAndTid) {
  std::array<char, 16> seen{};
  pid_t tid = 0;
  NamedThread thread("some_long_reader/7", std::nullopt, [&] {
    pthread_getname_np(pthread_self(), seen.data(), seen.size());
    tid = gettid();
  });
  EXPECT_EQ(thread.name(), "some_long_reader/7");
  thread.join();
  EXPECT_STREQ(seen.data(), "some_long_rea/7");
  EXPECT_EQ(thread.tid(), tid);
}

TEST(NamedThread, IsBoundBeforeItsFunctionRuns) {
  for (const unsigned pu : affinity()) {
    std::vector<unsigned> mask;
    NamedThread("pinned", pu, [&mask] { mask = affinity(); }).join();
    EXPECT_EQ(mask, std::vector<unsigned>{pu});
  }
}

TEST(NamedThread, RefusedSeatIsBrokenAndNothingRuns) {
  bool ran = false;
  try {
    NamedThread thread("reader/3", 100'000, [&ran] { ran = true; });
    FAIL() << "no CPU has that number";
  } catch (const Broken& refusal) {
    EXPECT_NE(std::string(refusal.what()).find("reader/3"), std::string::npos) << refusal.what();
  }
  EXPECT_FALSE(ran);
}

TEST(NamedThread, JoinRethrowsOnce) {
  NamedThread thread("thrower", std::nullopt, [] { throw Broken("disk full"); });
  EXPECT_THROW(thread.join(), Broken);
  EXPECT_FALSE(thread.joinable());
  EXPECT_NO_THROW(thread.join());
}

TEST(NamedThread, CanBeMovedWhileItRuns) {
  std::vector<NamedThread> threads;
  int ran[8] = {};
  for (int i = 0; i < 8; ++i) threads.emplace_back("mover", std::nullopt, [&ran, i] { ran[i] = i + 1; });
  for (NamedThread& thread : threads) thread.join();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(ran[i], i + 1);
}

TEST(NamedThread, AssignmentJoinsTheFormerOne) {
  bool ran = false;
  NamedThread thread("first", std::nullopt, [&ran] {
    sleep_ns(50'000'000);
    ran = true;
  });
  thread = NamedThread("second", std::nullopt, [] {});
  EXPECT_TRUE(ran);
  EXPECT_EQ(thread.name(), "second");
}

TEST(NamedThreadDeathTest, ErrorThatNobodyFetchedEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      { NamedThread thread("lost", std::nullopt, [] { throw std::runtime_error("nobody listens"); }); },
      "nobody listens");
}

}  // namespace
}  // namespace harness
