// The prover under threads, under handlers that come at any instruction, and with its tables full.
#include <pthread.h>
#include <signal.h>

#include <array>
#include <map>
#include <set>
#include <atomic>
#include <mutex>
#include <thread>

#include "srcu/lockdep/story.hpp"
#include "srcu/tests/signal_load.hpp"
#include "srcu/tests/support.hpp"

namespace srcu::test {
namespace {

constexpr size_t kMany = 1100;  // more than there are nodes

srcu_lockdep_class& numbered(size_t number) {
  static auto classes = [] {
    std::array<srcu_lockdep_class, kMany> fresh{};
    for (auto& each : fresh) each.name = "numbered";
    return fresh;
  }();
  return classes[number];
}
const void* lock_of(size_t number) { return &numbered(number); }
void take(size_t number) { srcu_lockdep_acquire(lock_of(number), &numbered(number), SRCU_LOCKDEP_WRITE); }
void drop(size_t number) { srcu_lockdep_release(lock_of(number)); }

TEST(Threads, ThatKeepAnOrderAreNotReported) {
  constexpr unsigned kThreads = 4, kClasses = 40, kRounds = 50;
  const Proving proving;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (unsigned round = 0; round < kRounds; ++round) {
          for (unsigned low = 0; low < kClasses; ++low) {
            const unsigned high = low + 1 + (round * 7 + t) % kClasses;
            take(low);
            take(high);
            drop(t % 2 ? low : high);
            drop(t % 2 ? high : low);
          }
        }
      });
    }
  }
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
  const srcu_lockdep_stats stats = srcu_lockdep_get_stats();
  EXPECT_EQ(stats.unmatched + stats.skipped + stats.lost, 0U);
  EXPECT_GT(stats.edges, kClasses * 20);
}

TEST(Threads, OneThatTurnsTheOrderRoundIsReportedOnce) {
  constexpr unsigned kThreads = 4, kRounds = 2000;
  const Proving proving;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (unsigned round = 0; round < kRounds; ++round) {
          const unsigned first = t == 0 ? 1 : 0;
          take(first);
          take(1 - first);
          drop(1 - first);
          drop(first);
        }
      });
    }
  }
  ASSERT_EQ(proving.seen.size(), 1U);
  EXPECT_EQ(proving.seen[0].check, "lock_cycle");
}

struct KeptErrno {
  const int before = errno;
  ~KeptErrno() { EXPECT_EQ(errno, before); }
};

std::atomic<unsigned> handled;

void take_on_top(int) {
  const KeptErrno kept;
  const unsigned at = 500 + handled.fetch_add(1, std::memory_order_relaxed) % 300;
  srcu_lockdep_hardirq_enter();
  take(at);
  take(801);
  drop(at);  // out of order, too
  drop(801);
  srcu_lockdep_hardirq_exit();
}

TEST(Handlers, ThatComeAtAnyInstructionLeaveTheStackAsItWas) {
  handled = 0;
  const Proving proving;
  const HandledSignal action(SIGUSR1, take_on_top);
  {
    const SignalTimer timer(SIGUSR1, 20'000);
    for (unsigned round = 0; handled < 20'000; ++round) {
      srcu_lockdep_hardirqs_off();
      for (size_t depth = 0; depth < 6; ++depth) take(depth * 60 + round % 60);
      for (size_t depth = 0; depth < 6; ++depth) {
        const size_t number = depth * 60 + round % 60;
        if (!srcu_lockdep_holds(lock_of(number))) ADD_FAILURE() << number << " was lost";
        drop(number);
      }
      srcu_lockdep_hardirqs_on();
    }
  }
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
  const srcu_lockdep_stats stats = srcu_lockdep_get_stats();
  EXPECT_EQ(stats.unmatched + stats.skipped + stats.lost, 0U);
  char text[256];
  EXPECT_EQ(srcu_lockdep_describe(srcu_lockdep_self(), text, sizeof text), 0) << text;
}

TEST(Handlers, OnSeveralThreadsShareTheTables) {
  handled = 0;
  const Proving proving;
  const HandledSignal action(SIGUSR1, take_on_top);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < 3; ++t) {
      threads.emplace_back([t] {
        const SignalTimer timer(SIGUSR1, 50'000);
        for (unsigned round = 0; handled < 5'000; ++round) {
          take(round % 200);
          take(200 + (round + t) % 200);
          drop(round % 200);
          drop(200 + (round + t) % 200);
        }
      });
    }
  }
  EXPECT_TRUE(proving.seen.empty()) << proving.seen[0].text;
  EXPECT_EQ(srcu_lockdep_get_stats().unmatched, 0U);
}

// fork() has the prover's lock, and a prepare handler waits for a mutex whose owner takes locks.
int fork_beside_who_holds_a_mutex() {
  static std::mutex mutex;
  static std::atomic<bool> held{false}, awaited{false};
  static constexpr auto unlock = [] { mutex.unlock(); };
  const auto lock = [] {
    awaited = true;
    mutex.lock();
  };
  pthread_atfork(lock, unlock, unlock);  // before the prover's, which begins here: so it comes after that in fork()
  const Proving proving;
  std::thread owner([] {
    const std::lock_guard locked(mutex);
    held = true;
    while (!awaited) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    take(20);
    drop(20);
  });
  while (!held) std::this_thread::yield();
  const int status = in_child([] {
    const uint32_t classes = srcu_lockdep_get_stats().classes;
    take(21);
    drop(21);
    return srcu_lockdep_get_stats().classes == classes + 1 ? 0 : 1;  // the child's are examined
  });
  owner.join();
  return status;
}

TEST(Forks, WaitForNobodyWhoWaitsForTheProver) {
  NEEDS_VANISHED_THREADS();
  EXPECT_EQ(in_child(fork_beside_who_holds_a_mutex), 0);
}

// A trap is not blocked: its handler finds the prover at work on its own thread, and must not wait for it.
TEST(Handlers, OfTrapsInsideTheProverAreCountedAndDoNotHang) {
  const Proving proving;
  const HandledSignal action(SIGTRAP, [](int) {
    take(10);
    drop(10);
  });
  static bool trapped;
  trapped = false;
  srcu_lockdep_set_hook(
      [](const srcu_lockdep_report*, void*) {
        sigset_t blocked;
        pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
        EXPECT_TRUE(sigismember(&blocked, SIGUSR1));
        raise(SIGTRAP);
        trapped = true;
      },
      nullptr);
  take(0);
  take(0);
  EXPECT_TRUE(trapped);
  EXPECT_EQ(srcu_lockdep_get_stats().skipped, 1U);
  // Nothing was learned in there, so that it is new the next time.
  take(10);
  EXPECT_TRUE(srcu_lockdep_usage_of(&numbered(10), 0) & SRCU_LOCKDEP_USED);
}

TEST(Tables, FullOfClassesIsSaidOnceAndLosesNothingElse) {
  const Proving proving;
  testing::internal::CaptureStderr();
  for (size_t i = 0; i < kMany; ++i) {
    take(i);
    drop(i);
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(said,
            "srcu: lockdep: no room for more than 1024 classes and subclasses: "
            "what is new from here on is not proved right\n");
  EXPECT_EQ(srcu_lockdep_get_stats().lost, kMany - 1023);
  take(1);
  take(kMany - 1);
  EXPECT_TRUE(srcu_lockdep_holds(lock_of(kMany - 1)));
  take(1);
  EXPECT_EQ(proving.seen.size(), 1U);
}

TEST(Tables, FullOfOrdersIsSaidOnceAndTheOldOnesHold) {
  constexpr size_t kSide = 130;
  const Proving proving;
  testing::internal::CaptureStderr();
  for (size_t from = 0; from < kSide; ++from) {
    take(from);
    for (size_t to = kSide; to < 2 * kSide; ++to) {
      take(to);
      drop(to);
    }
    drop(from);
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("no room for more than 16384 orders"), std::string::npos) << said;
  EXPECT_EQ(srcu_lockdep_get_stats().edges, 16383U);
  take(kSide);
  take(0);
  EXPECT_EQ(proving.seen.size(), 1U);
}

TEST(Tables, FullOfHeldLocksIsSaidOnce) {
  const Proving proving;
  testing::internal::CaptureStderr();
  for (size_t i = 0; i < 50; ++i) take(i);
  for (size_t i = 50; i-- > 0;) drop(i);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("no room for more than 48 locks held by one thread"), std::string::npos) << said;
  EXPECT_EQ(srcu_lockdep_get_stats().lost, 2U);
  EXPECT_EQ(srcu_lockdep_get_stats().unmatched, 2U);
  char text[256];
  EXPECT_EQ(srcu_lockdep_describe(srcu_lockdep_self(), text, sizeof text), 0) << text;
}

TEST(Classes, ForObjectsAreFoundAgain) {
  static const int objects[300] = {};
  srcu_lockdep_class* const one = srcu_lockdep_class_of(&objects[0], "one", SRCU_LOCKDEP_SLEEP);
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(srcu_lockdep_class_of(&objects[0], "one", SRCU_LOCKDEP_SLEEP), one);
  EXPECT_NE(srcu_lockdep_class_of(&objects[1], "other", SRCU_LOCKDEP_SLEEP), one);
}

TEST(Classes, ThatWereForgottenMakeRoom) {
  static const char objects[2000] = {};
  testing::internal::CaptureStderr();
  const auto class_of = [](size_t i) { return srcu_lockdep_class_of(&objects[i], "one of many", SRCU_LOCKDEP_SLEEP); };
  for (size_t i = 0; i < 1000; ++i) {
    EXPECT_NE(class_of(i), nullptr) << i;
    srcu_lockdep_forget(&objects[i]);
  }
  std::map<size_t, srcu_lockdep_class*> living;
  while (srcu_lockdep_class* const made = class_of(1000 + living.size())) living.emplace(1000 + living.size(), made);
  EXPECT_GT(living.size(), 200U) << "all but those of other tests";
  for (auto it = living.begin(); it != living.end(); ++it)
    if (it->first % 2) srcu_lockdep_forget(&objects[it->first]);
  std::set<srcu_lockdep_class*> different;
  for (const auto& [i, made] : living) {
    EXPECT_TRUE(i % 2 || class_of(i) == made) << "places before its own are free now";
    different.insert(class_of(i));
  }
  EXPECT_EQ(different.size(), living.size());
  for (const auto& [i, made] : living) srcu_lockdep_forget(&objects[i]);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("no room for more than 256 classes of objects"), std::string::npos);
}

TEST(Classes, ThatWereForgottenHaveTheirOrdersLookedAtAnew) {
  static const int object = 0;
  const Proving proving;
  srcu_lockdep_class* const one = srcu_lockdep_class_of(&object, "one", SRCU_LOCKDEP_SPIN);
  const auto take_one = [one] { srcu_lockdep_acquire(&object, one, SRCU_LOCKDEP_WRITE); };
  const auto first_0_then_one = [take_one] {
    take(0);
    take_one();
    srcu_lockdep_release(&object);
    drop(0);
  };
  for (int i = 0; i < 4; ++i) first_0_then_one();
  srcu_lockdep_forget(&object);
  first_0_then_one();
  take_one();
  take(0);
  EXPECT_EQ(proving.seen.size(), 1U);
}

TEST(Classes, ThatWereForgottenAreReportedAnewAndOthersAreNot) {
  static const char objects[5000] = {};  // more than there are places for reports
  const Proving proving;
  const auto twice_0 = [] {
    take(0);
    take(0);
    drop(0);
    drop(0);
  };
  twice_0();
  for (const char& object : objects) {
    srcu_lockdep_class* const one = srcu_lockdep_class_of(&object, "one of many", SRCU_LOCKDEP_SPIN);
    ASSERT_NE(one, nullptr);
    for (int i = 0; i < 2; ++i) {  // under itself, and on both sides of another
      srcu_lockdep_acquire(&object, one, SRCU_LOCKDEP_WRITE);
      srcu_lockdep_acquire(&object, one, SRCU_LOCKDEP_WRITE);
      srcu_lockdep_release(&object);
      take(1);
      drop(1);
      srcu_lockdep_release(&object);
      take(1);
      srcu_lockdep_acquire(&object, one, SRCU_LOCKDEP_WRITE);
      srcu_lockdep_release(&object);
      drop(1);
    }
    srcu_lockdep_forget(&object);
  }
  twice_0();
  EXPECT_EQ(proving.seen.size(), 1 + 2 * std::size(objects));
  EXPECT_EQ(srcu_lockdep_get_stats().lost, 0U);
}

// An object's class without a wait type may be taken where one that sleeps may not.
TEST(Classes, ThatBecomeOthersAreLookedAtAnew) {
  static const int object = 0;
  const Proving proving;
  for (const srcu_lockdep_wait inner : {SRCU_LOCKDEP_UNCHECKED, SRCU_LOCKDEP_SLEEP}) {
    srcu_lockdep_class* const one =
        srcu_lockdep_class_of(&object, inner == SRCU_LOCKDEP_SLEEP ? "sleeps" : "unchecked", inner);
    srcu_lockdep_hardirq_enter();
    for (int i = 0; i < 4; ++i) {
      srcu_lockdep_acquire(&object, one, SRCU_LOCKDEP_WRITE);
      srcu_lockdep_release(&object);
    }
    srcu_lockdep_hardirq_exit();
  }
  EXPECT_EQ(proving.seen.size(), 1U);
}

}  // namespace
}  // namespace srcu::test
