#include <errno.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <fstream>
#include <string>
#include <thread>

#include "srcu/core/usage.hpp"
#include "srcu/tests/manual_host.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;
using test::ManualHost;

static_assert(sizeof(srcu_struct) == 64 && alignof(srcu_struct) <= alignof(std::max_align_t));
static_assert(sizeof(srcu_slot) == 64 && alignof(srcu_slot) == 64);
static_assert(sizeof(rcu_head) == 2 * sizeof(void*));
static_assert(sizeof(Usage) <= 513 * 1024, "srcu.h promises this much address space");

TEST(Init, MakesEachKind) {
  const auto fast = [](int (*init)(srcu_struct*)) {
    Domain domain(init);
    synchronize_srcu(domain);
    return domain.usage().fast;
  };
  EXPECT_FALSE(fast(init_srcu_struct));
  EXPECT_TRUE(fast(init_srcu_struct_fast));
  EXPECT_TRUE(fast(init_srcu_struct_fast_updown));
}

TEST(Init, TakesMemoryWithAnythingInIt) {
  srcu_struct ssp;
  memset(static_cast<void*>(&ssp), 0xa5, sizeof ssp);
  ASSERT_EQ(init_srcu_struct(&ssp), 0);
  srcu_read_unlock(&ssp, srcu_read_lock(&ssp));
  synchronize_srcu(&ssp);
  cleanup_srcu_struct(&ssp);
}

TEST(Init, TakesACleanedUpDomain) {
  srcu_struct ssp;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(init_srcu_struct(&ssp), 0);
    const unsigned long cookie = get_state_synchronize_srcu(&ssp);
    EXPECT_FALSE(poll_state_synchronize_srcu(&ssp, cookie)) << "it begins anew";
    synchronize_srcu(&ssp);
    cleanup_srcu_struct(&ssp);
  }
}

// As many unlocks as locks, but one of them with a wrong token.
TEST(OpenSections, AreLessThanNothingAfterAWrongUnlock) {
  Domain domain;
  srcu_read_unlock(domain, 1 - srcu_read_lock(domain));
  EXPECT_EQ(srcu_open_sections(domain), -1);
  srcu_read_unlock(domain, 1 - srcu_read_lock(domain));
  EXPECT_EQ(srcu_open_sections(domain), -2);
}

TEST(Static, IsMadeByWhateverIsFirst) {
  DEFINE_STATIC_SRCU(read);
  srcu_read_unlock(&read, srcu_read_lock(&read));
  DEFINE_STATIC_SRCU(synchronized);
  synchronize_srcu(&synchronized);
  DEFINE_STATIC_SRCU(posted);
  Counted counted;
  counted.post(&posted);
  srcu_barrier(&posted);
  EXPECT_EQ(counted.times(), 1u);
  DEFINE_STATIC_SRCU(polled);
  EXPECT_FALSE(poll_state_synchronize_srcu(&polled, get_state_synchronize_srcu(&polled)));
  DEFINE_STATIC_SRCU(waited);
  srcu_barrier(&waited);
  DEFINE_STATIC_SRCU(ended);
  for (srcu_struct* each : {&read, &synchronized, &posted, &polled, &waited, &ended}) cleanup_srcu_struct(each);
}

TEST(Static, FastOnesToo) {
  DEFINE_STATIC_SRCU_FAST(fast);
  srcu_read_unlock_fast(&fast, srcu_read_lock_fast(&fast));
  DEFINE_STATIC_SRCU_FAST_UPDOWN(updown);
  srcu_up_read_fast(&updown, srcu_down_read_fast(&updown));
  for (srcu_struct* each : {&fast, &updown}) {
    EXPECT_TRUE(usage_of(each).fast);
    synchronize_srcu(each);
    cleanup_srcu_struct(each);
  }
}

TEST(Usage, AThreadThatReadsTouchesOneLine) {
  Domain domain;
  srcu_read_unlock(domain, srcu_read_lock(domain));
  const Usage& usage = domain.usage();
  size_t touched = 0;
  for (uint32_t i = 0; i < threads_ever(); ++i) touched += usage.slots[i].rank[0].lock + usage.slots[i].rank[1].lock != 0;
  EXPECT_EQ(touched, 1u);
}

/// What cleanup_srcu_struct() says.
std::string cleanup_says(srcu_struct* ssp) {
  testing::internal::CaptureStderr();
  cleanup_srcu_struct(ssp);
  return testing::internal::GetCapturedStderr();
}

/// What a domain goes by that has no other name.
std::string address(const srcu_struct* ssp) {
  char text[24];
  snprintf(text, sizeof text, "%p", static_cast<const void*>(ssp));
  return text;
}

/// Nothing is lost by a refused cleanup.
void expect_works(srcu_struct* ssp) {
  ASSERT_NE(ssp->srcu_sup, nullptr);
  srcu_read_unlock(ssp, srcu_read_lock(ssp));
  Counted counted;
  counted.post(ssp);
  srcu_barrier(ssp);
  EXPECT_EQ(counted.times(), 1u);
  synchronize_srcu(ssp);
}

TEST(Cleanup, RefusesWhileASectionIsOpen) {
  static srcu_struct ssp;
  ASSERT_EQ(init_srcu_struct(&ssp), 0);
  int token = -1;
  std::jthread([&] { token = srcu_down_read(&ssp); }).join();
  EXPECT_EQ(cleanup_says(&ssp),
            "srcu: cleanup_srcu_struct(" + address(&ssp) + "): 1 sections are open; stop all readers before. "
            "The domain is left as it is.\n");
  srcu_up_read(&ssp, token);
  expect_works(&ssp);
  EXPECT_EQ(cleanup_says(&ssp), "");
  EXPECT_EQ(ssp.srcu_sup, nullptr);
}

class CleanupOnManualHost : public test::OnManualHost {};

TEST_F(CleanupOnManualHost, RefusesWhileCallbacksWait) {
  std::array<Counted, 3> counted;
  for (Counted& each : counted) each.post(domain);
  EXPECT_EQ(cleanup_says(domain),
            "srcu: cleanup_srcu_struct(" + address(domain) + "): 3 callbacks wait; stop posting and call srcu_barrier() before. "
            "The domain is left as it is.\n");
  while (ManualHost::run(usage.gp_work) || ManualHost::run(usage.data.invoke_work)) {
  }
  for (Counted& each : counted) EXPECT_EQ(each.times(), 1u);
}

TEST(Cleanup, RefusesWhileAPostIsStaged) {
  DEFINE_STATIC_SRCU(ssp);
  Counted counted;
  irq_off();
  counted.post(&ssp);
  irq_state.pending = nullptr;  // what would file it is lost
  irq_on();
  usage_of(&ssp).data.staged.drain.state = 0;
  EXPECT_EQ(cleanup_says(&ssp),
            "srcu: cleanup_srcu_struct(ssp): 0 callbacks wait, and some are staged; stop posting and call "
            "srcu_barrier() before. The domain is left as it is.\n");
  ASSERT_EQ(srcu_start_helper(), 0);
  expect_works(&ssp);
  EXPECT_EQ(counted.times(), 1u);
  EXPECT_EQ(cleanup_says(&ssp), "");
  EXPECT_EQ(ssp.srcu_sup, nullptr);
}

TEST(Cleanup, WaitsForAGracePeriodThatWasPolledFor) {
  srcu_struct ssp;
  ASSERT_EQ(init_srcu_struct(&ssp), 0);
  for (int i = 0; i < 100; ++i) {
    start_poll_synchronize_srcu(&ssp);
    cleanup_srcu_struct(&ssp);
    ASSERT_EQ(ssp.srcu_sup, nullptr);
    ASSERT_EQ(init_srcu_struct(&ssp), 0);
  }
  cleanup_srcu_struct(&ssp);
}

TEST(Cleanup, MayFollowTheBarrierAtOnce) {
  for (int i = 0; i < 300; ++i) {
    srcu_struct ssp;
    ASSERT_EQ(init_srcu_struct(&ssp), 0);
    Counted counted;
    counted.post(&ssp);
    srcu_expedite_current(&ssp);
    srcu_barrier(&ssp);
    cleanup_srcu_struct(&ssp);
    ASSERT_EQ(ssp.srcu_sup, nullptr);
  }
}

// RLIMIT_AS is below what a thread's stack or a domain takes.
class NoMemory {
 public:
  NoMemory() {
    getrlimit(RLIMIT_AS, &before_);
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlimit limit = {static_cast<rlim_t>(pages) * 4096 + 128 * 1024, before_.rlim_max};
    setrlimit(RLIMIT_AS, &limit);
  }
  ~NoMemory() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

void inits_without_memory() {
  static srcu_struct ssp;
  const auto init = [] {
    const NoMemory no_memory;
    return init_srcu_struct(&ssp);
  };
  CHILD_CHECK(init() == -EAGAIN);  // no helper yet
  CHILD_CHECK(srcu_start_helper() == 0);
  CHILD_CHECK(init() == -ENOMEM);
  CHILD_CHECK(init_srcu_struct(&ssp) == 0);
  synchronize_srcu(&ssp);
  _exit(0);
}

TEST(InitDeathTest, SaysWhenThereIsNoThreadOrNoMemory) {
  if (test::kSanitized) GTEST_SKIP() << "a sanitizer needs more address space than can be left";
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process that never had a thread to take a stack from
  EXPECT_EXIT(inits_without_memory(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace srcu
