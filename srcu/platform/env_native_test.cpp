#include "srcu/platform/env_native.hpp"

#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "srcu/platform/membarrier.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Flag;

TEST(Env, FutexWaitReturnsAtOnceWhenTheWordDiffers) {
  std::atomic<uint32_t> word{1};
  env::futex_wait(word, 0);
}

TEST(Env, FutexWaitKeepsItsLimit) {
  std::atomic<uint32_t> word{0};
  const uint64_t before = env::now_ns();
  env::futex_wait(word, 0, 1'000'000);  // a signal might cut it short; there is none here
  EXPECT_GE(env::now_ns() - before, 1'000'000u);
}

TEST(Env, FutexWakeWakesAll) {
  std::atomic<uint32_t> word{0}, awake{0};
  {
    std::vector<std::jthread> sleepers;
    for (int i = 0; i < 3; ++i) {
      sleepers.emplace_back([&] {
        while (word == 0) env::futex_wait(word, 0);
        ++awake;
      });
    }
    word = 1;
    env::futex_wake(word);
  }
  EXPECT_EQ(awake, 3u);
}

TEST(Env, KeepsErrno) {
  std::atomic<uint32_t> word{1};
  errno = EDOM;
  env::futex_wait(word, 0);
  env::futex_wake(word);
  env::sleep_ns(1000);
  env::yield();
  env::unmap(env::map(4096), 4096);
  if (membarrier_works()) env::membarrier();
  EXPECT_EQ(errno, EDOM);
  EXPECT_EQ(env::map(size_t{1} << 60), nullptr);
  EXPECT_EQ(errno, EDOM) << "failing, too";
}

TEST(Env, MapsZeroes) {
  constexpr size_t kBytes = 1 << 20;
  auto* const memory = static_cast<unsigned char*>(env::map(kBytes));
  ASSERT_NE(memory, nullptr);
  EXPECT_TRUE(std::all_of(memory, memory + kBytes, [](unsigned char byte) { return byte == 0; }));
  env::unmap(memory, kBytes);
}

test::Flag thread_ran;
sigset_t thread_mask;
char thread_name[16];

TEST(Env, AThreadHasItsNameAndNoSignals) {
  ASSERT_TRUE(env::start_thread(
      [] {
        pthread_sigmask(SIG_SETMASK, nullptr, &thread_mask);
        // Named by its maker, perhaps after it began.
        test::eventually([] {
          pthread_getname_np(pthread_self(), thread_name, sizeof thread_name);
          return std::string(thread_name) == "a test's own";
        });
        thread_ran.set();
      },
      "a test's own"));
  ASSERT_TRUE(thread_ran.wait());
  EXPECT_STREQ(thread_name, "a test's own");
  for (const int signal : {SIGUSR1, SIGTERM, SIGRTMIN}) EXPECT_EQ(sigismember(&thread_mask, signal), 1) << signal;
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGUSR1), 0) << "the maker's mask is as before";
}

TEST(Env, TellsWhichThreadsAreGone) {
  uint32_t other = 0;
  Flag here, go;
  std::jthread thread([&] {
    other = env::thread_id();
    here.set();
    EXPECT_TRUE(go.wait());
  });
  ASSERT_TRUE(here.wait());
  EXPECT_NE(other, env::thread_id());
  EXPECT_FALSE(env::thread_is_gone(other));
  EXPECT_FALSE(env::thread_is_gone(env::thread_id()));
  go.set();
  thread.join();
  errno = EDOM;
  EXPECT_TRUE(test::eventually([&] { return env::thread_is_gone(other); }));
  EXPECT_EQ(errno, EDOM);
  EXPECT_TRUE(env::thread_is_gone(static_cast<uint32_t>(getppid()))) << "of another process";
}

TEST(Env, KnowsProcesses) {
  const uint32_t own = env::process_id();
  EXPECT_EQ(own, env::process_id());
  EXPECT_EQ(test::in_child([own] { return env::process_id() == own ? 1 : 0; }), 0);
}

TEST(Membarrier, AnswersAlike) { EXPECT_EQ(membarrier_works(), membarrier_works()); }

}  // namespace
}  // namespace srcu
