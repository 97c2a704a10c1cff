#include "harness/threads/cross_call.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>

#include "harness/base/clock.hpp"
#include "harness/threads/named_thread.hpp"

namespace harness {
namespace {

/// What the function writes; looked at only after it returned.
struct Seen {
  int calls = 0;
  pid_t tid = 0;
};

void note(void* argument) {
  auto& seen = *static_cast<Seen*>(argument);
  ++seen.calls;
  seen.tid = gettid();
  errno = EIO;
}

bool returns(const CrossCall& call, uint64_t within_ns) {
  const uint64_t end = now_ns() + within_ns;
  while (call.owed() && now_ns() < end) sleep_ns(100'000);
  return !call.owed();
}

constexpr uint64_t kLong = 60'000'000'000, kShort = 100'000'000;

/// A thread that stays until it is told to go, with the signal held off if so wanted.
class Stayer {
 public:
  explicit Stayer(bool held_off) : thread_("stayer/0", std::nullopt, [this, held_off] { stay(held_off); }) {
    while (!there_) sleep_ns(100'000);
  }
  ~Stayer() { go_ = true; }
  pid_t tid() const { return thread_.tid(); }
  void let_in() { held_off_ = false; }
  bool kept_errno() const { return kept_errno_; }

 private:
  void stay(bool held_off) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, CrossCall::signo());
    held_off_ = held_off;
    if (held_off) pthread_sigmask(SIG_BLOCK, &set, nullptr);
    errno = 0;
    there_ = true;
    while (held_off_ && !go_) sleep_ns(100'000);
    if (!go_) pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    while (!go_) {
      if (errno != 0) kept_errno_ = false;
    }
  }

  std::atomic<bool> there_{false}, held_off_{false}, go_{false}, kept_errno_{true};
  NamedThread thread_;
};

TEST(CrossCall, RunsOnThatThreadOncePerSend) {
  Seen seen;
  CrossCall call(note, &seen);
  Stayer stayer(false);
  for (int i = 1; i <= 50; ++i) {
    ASSERT_TRUE(call.send(stayer.tid()));
    ASSERT_TRUE(returns(call, kLong));
    EXPECT_EQ(seen.calls, i);
    EXPECT_EQ(seen.tid, stayer.tid());
  }
  EXPECT_TRUE(stayer.kept_errno());
}

TEST(CrossCall, ThreadThatHoldsTheSignalOffOwesOneRunAndNoMore) {
  Seen seen;
  CrossCall call(note, &seen);
  Stayer stayer(true);
  EXPECT_TRUE(call.send(stayer.tid()));
  EXPECT_FALSE(returns(call, kShort));
  EXPECT_FALSE(call.send(stayer.tid())) << "it is owed already";
  stayer.let_in();
  EXPECT_TRUE(returns(call, kLong));
  EXPECT_EQ(seen.calls, 1);
  EXPECT_TRUE(call.send(stayer.tid()));
  EXPECT_TRUE(returns(call, kLong));
}

TEST(CrossCall, ThreadThatIsGoneIsNotAskedAndTheNextOneIs) {
  Seen seen;
  CrossCall call(note, &seen);
  pid_t gone = 0;
  {
    Stayer stayer(true);
    gone = stayer.tid();
    // It ends without ever having run it.
    EXPECT_TRUE(call.send(gone));
  }
  Stayer next(false);
  EXPECT_TRUE(call.send(next.tid()));
  EXPECT_TRUE(returns(call, kLong));
  EXPECT_EQ(seen.tid, next.tid());
  EXPECT_FALSE(call.send(gone));
}

TEST(CrossCall, SignalFromElsewhereIsIgnored) {
  Seen seen;
  CrossCall call(note, &seen);
  Stayer stayer(false);
  syscall(SYS_tgkill, getpid(), stayer.tid(), CrossCall::signo());
  ASSERT_TRUE(call.send(stayer.tid()));
  EXPECT_TRUE(returns(call, kLong));
  EXPECT_EQ(seen.calls, 1);
}

}  // namespace
}  // namespace harness
