// What the library's tests share.
#pragma once

#include <gtest/gtest.h>
#include <srcu/srcu.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>

#include "srcu/core/usage.hpp"

namespace srcu::test {

/// Waits until `condition` holds. False if it does not within a time that any loaded machine keeps: so a test fails
/// in words, where the library hangs, and no test depends on how fast things are.
template <class Condition>
bool eventually(Condition condition, std::chrono::seconds limit = std::chrono::seconds(50)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    // Once: sleep_for() goes on sleeping after each signal, and under a flood of them for ever.
    const timespec pause = {0, 100'000};
    nanosleep(&pause, nullptr);
  }
  return true;
}

/// A word that one thread sets and others see, with what came before.
class Flag {
 public:
  void set() { set_.store(true, std::memory_order_release); }
  void reset() { set_.store(false, std::memory_order_relaxed); }  // relaxed: nobody else uses it yet
  bool is_set() const { return set_.load(std::memory_order_acquire); }
  bool wait() const {
    return eventually([this] { return is_set(); });
  }

 private:
  std::atomic<bool> set_{false};
};

/// A domain that is cleaned up at the end.
class Domain {
 public:
  explicit Domain(int (*init)(srcu_struct*) = init_srcu_struct) { EXPECT_EQ(init(&ssp_), 0); }
  ~Domain() {
    if (!ssp_.srcu_sup) return;
    srcu_barrier(&ssp_);
    cleanup_srcu_struct(&ssp_);
    EXPECT_EQ(ssp_.srcu_sup, nullptr) << "cleanup was refused";
  }
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  operator srcu_struct*() { return &ssp_; }  // NOLINT: stands for it everywhere
  Usage& usage() { return usage_of(&ssp_); }

 private:
  srcu_struct ssp_{};
};

/// A callback's head that counts its invocations.
struct Counted {
  rcu_head head;  // first: the callback casts
  std::atomic<unsigned> invoked{0};

  static void on_grace_period(rcu_head* head) {
    // release: pairs with the acquire in times(): what earlier callbacks did is seen with the count.
    reinterpret_cast<Counted*>(head)->invoked.fetch_add(1, std::memory_order_release);
  }
  void post(srcu_struct* ssp) { call_srcu(ssp, &head, on_grace_period); }
  unsigned times() const { return invoked.load(std::memory_order_acquire); }
};

/// The state of the grace period under way, as anybody may see it.
inline GpState state_of(Usage& usage) { return seq_state(usage.gp_seq.load(std::memory_order_acquire)); }

/// Runs `body` in a forked child. Its result is the child's exit status; -N, if signal N ended it, SIGALRM after
/// twenty seconds.
int in_child(const std::function<int()>& body);

/// In a child: a check that ends it, with a line on stderr.
#define CHILD_CHECK(condition)                                                              \
  do {                                                                                      \
    if (condition) break;                                                                   \
    fprintf(stderr, "%s:%d: in the child: not so: %s\n", __FILE__, __LINE__, #condition);   \
    _exit(1);                                                                               \
  } while (0)

/// In a child, all that a domain is for; the process has one thread, and no section is open.
int use(srcu_struct* ssp);

/// In a test whose child starts threads after others have vanished in it, which ThreadSanitizer does not survive.
#ifdef SRCU_TSAN
#define NEEDS_VANISHED_THREADS() GTEST_SKIP() << "ThreadSanitizer takes vanished threads for living ones"
#else
#define NEEDS_VANISHED_THREADS() ((void)0)
#endif

/// Whether a sanitizer slows things down and adds threads and memory of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(SRCU_TSAN)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace srcu::test
