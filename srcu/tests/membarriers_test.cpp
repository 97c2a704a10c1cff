// How often a grace period asks the kernel for a fence on all CPUs: for fast readers once, however long it waits,
// and never where readers bring their own.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <thread>

#include "srcu/platform/membarrier.hpp"
#include "srcu/tests/manual_host.hpp"
#include "srcu/tests/reader_kinds.hpp"
#include "srcu/tests/refuse.hpp"

#if defined(__x86_64__) || defined(__aarch64__)

namespace srcu {
namespace {

using test::Counted;
using test::ManualHost;
using test::ReaderKind;
using test::Token;

constexpr uint64_t kMost = 2;  // in a grace period
constexpr unsigned kTimes = 100;

std::atomic<uint64_t> asked{0};

// Says that it was done; the kernel's answer is in the result's register.
void count(int, siginfo_t*, void* interrupted) {
  asked.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
  auto& registers = static_cast<ucontext_t*>(interrupted)->uc_mcontext;
#if defined(__x86_64__)
  registers.gregs[REG_RAX] = 0;
#else
  registers.regs[0] = 0;
#endif
}

/// From now on, in this thread and those that it starts.
void count_membarriers() {
  struct sigaction action = {};
  action.sa_sigaction = count;
  action.sa_flags = SA_SIGINFO;
  CHILD_CHECK(sigaction(SIGSYS, &action, nullptr) == 0);
  test::answer(SYS_membarrier, SECCOMP_RET_TRAP);
}

uint64_t grace_periods(Usage& usage) { return usage.gp_seq.load(std::memory_order_acquire) / kSeqGp; }

/// Since it was made.
class Ratio {
 public:
  explicit Ratio(Usage& usage) : usage_(usage) {}
  void check(bool fast, uint64_t least) const {
    const uint64_t periods = (grace_periods(usage_) - periods_) & (~uint64_t{0} / kSeqGp);
    const uint64_t membarriers = asked.load(std::memory_order_relaxed) - asked_;  // relaxed: as there
    fprintf(stderr, "%lu grace periods, %lu membarriers\n", periods, membarriers);
    CHILD_CHECK(periods >= least);
    CHILD_CHECK(membarriers <= (fast ? kMost * periods : 0));
    CHILD_CHECK(membarriers >= (fast ? periods : 0));  // or readers go unseen
  }

 private:
  Usage& usage_;
  const uint64_t periods_ = grace_periods(usage_), asked_ = asked.load(std::memory_order_relaxed);  // relaxed: as there
};

void idle(test::Domain& domain, bool fast) {
  const Ratio ratio(domain.usage());
  for (unsigned i = 0; i < kTimes; ++i) synchronize_srcu(domain);
  ratio.check(fast, kTimes);
}

void expedited(test::Domain& domain, bool fast) {
  const Ratio ratio(domain.usage());
  for (unsigned i = 0; i < kTimes; ++i) synchronize_srcu_expedited(domain);
  ratio.check(fast, kTimes);
}

// A helper's threads block the signal that tells us, so that its part is played here.
void posted(test::Domain& domain, bool fast) {
  Usage& usage = domain.usage();
  const Host* const before = usage.host;
  usage.host = &ManualHost::host;
  const Ratio ratio(usage);
  for (unsigned i = 0; i < kTimes; ++i) {
    Counted counted;
    counted.post(domain);
    while (ManualHost::run(usage.gp_work) || ManualHost::run(usage.data.invoke_work)) {
    }
    CHILD_CHECK(counted.times() == 1);
  }
  ratio.check(fast, kTimes);
  usage.host = before;
}

void readers(test::Domain& domain, const ReaderKind& kind) {
  const uint64_t before = asked;
  for (unsigned i = 0; i < kTimes; ++i) kind.unlock(domain, kind.lock(domain));
  CHILD_CHECK(asked == before);
}

// A flip, and many looks at the sums.
void held_up(test::Domain& domain, const ReaderKind& kind, bool fast) {
  const Ratio ratio(domain.usage());
  const Token token = kind.lock(domain);
  std::jthread updater([&domain] { synchronize_srcu(domain); });
  CHILD_CHECK(test::eventually([&] { return test::state_of(domain.usage()) == GpState::kScan2; }));
  usleep(50'000);
  kind.unlock(domain, token);
  updater.join();
  ratio.check(fast, 1);
}

void grace_periods_of(const ReaderKind& kind) {
  alarm(100);
  if (!membarrier_works()) _exit(0);
  count_membarriers();
  test::Domain domain(kind.init);
  const bool fast = kind.init != init_srcu_struct;
  synchronize_srcu(domain);  // the first use of a domain
  idle(domain, fast);
  expedited(domain, fast);
  posted(domain, fast);
  readers(domain, kind);
  held_up(domain, kind, fast);
  _exit(0);
}

class MembarriersDeathTest : public testing::TestWithParam<ReaderKind> {
 protected:
  MembarriersDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_P(MembarriersDeathTest, AreFewInAGracePeriod) {
  EXPECT_EXIT(grace_periods_of(GetParam()), testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(, MembarriersDeathTest, testing::ValuesIn(test::kReaderKinds), test::name_of);

}  // namespace
}  // namespace srcu

#endif
