// Domains by the thousand: none leaks, and those that nobody uses cost nothing.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "srcu/platform/env.hpp"
#include "srcu/tests/support.hpp"

namespace srcu {
namespace {

using test::Counted;
using test::Domain;

/// Bytes of this process: of address space, and resident.
struct Memory {
  size_t mapped, resident;

  static Memory now() {
    size_t mapped = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> mapped >> resident;
    return {mapped * 4096, resident * 4096};
  }
};

TEST(ManyDomains, TenThousandOneAfterAnotherLeaveNothing) {
  const auto use_one = [](unsigned i) {
    constexpr int (*kInit[])(srcu_struct*) = {init_srcu_struct, init_srcu_struct_fast, init_srcu_struct_fast_updown};
    Domain domain(kInit[i % 3]);
    std::array<Counted, 2> counted;
    const unsigned long cookie = get_state_synchronize_srcu(domain);
    synchronize_srcu_expedited(domain);
    EXPECT_TRUE(poll_state_synchronize_srcu(domain, cookie));
    if (i % 8) return;
    for (Counted& each : counted) each.post(domain);
    srcu_expedite_current(domain);
    srcu_barrier(domain);
    for (Counted& each : counted) EXPECT_EQ(each.times(), 1u);
  };
  for (unsigned i = 0; i < 100; ++i) use_one(i);
  const Memory before = Memory::now();
  for (unsigned i = 0; i < 10'000; ++i) use_one(i);
  const Memory after = Memory::now();
  // One in 300 that leaked would show.
  EXPECT_LT(after.mapped, before.mapped + (16 << 20));
  if (!test::kSanitized) {
    EXPECT_LT(after.resident, before.resident + (1 << 20));
  }
}

#ifdef SRCU_DEBUG
constexpr size_t kChecks = sizeof(Usage::held);
#else
constexpr size_t kChecks = 0;
#endif

TEST(ManyDomains, TwoThousandAtATime) {
  constexpr size_t kDomains = 2000;
  const Memory before = Memory::now();
  std::vector<std::unique_ptr<Domain>> domains;
  std::vector<Counted> counted(kDomains);
  for (size_t i = 0; i < kDomains; ++i) domains.push_back(std::make_unique<Domain>());
  for (size_t i = 0; i < kDomains; ++i) {
    const int token = srcu_read_lock(*domains[i]);
    counted[i].post(*domains[i]);
    srcu_read_unlock(*domains[i], token);
  }
  for (auto& domain : domains) srcu_barrier(*domain);
  for (const Counted& each : counted) EXPECT_EQ(each.times(), 1u);
  const Memory with = Memory::now();
  EXPECT_LT(with.mapped - before.mapped, kDomains * (kChecks + (size_t{517} << 10)) + (64 << 20)) << "srcu.h: 516 KiB each";
  if (!test::kSanitized) {
    EXPECT_LT(with.resident - before.resident, kDomains * (kChecks ? 4 : 3) * 4096 + (4 << 20));
  }
  domains.clear();
  EXPECT_LT(Memory::now().mapped, before.mapped + (64 << 20));
}

/// The helper's time on a CPU in nanoseconds, and how often it was given one; from the kernel.
struct HelperTime {
  uint64_t ran_ns = 0, waited_ns = 0, times = 0;

  static HelperTime now() {
    HelperTime time;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string name;
      std::getline(std::ifstream(task.path() / "comm"), name);
      if (name == "srcu helper") std::ifstream(task.path() / "schedstat") >> time.ran_ns >> time.waited_ns >> time.times;
    }
    return time;
  }
};

TEST(ManyDomains, AHundredIdleOnesUseNoCpu) {
  constexpr size_t kDomains = 100;
  std::vector<std::unique_ptr<Domain>> domains;
  std::vector<Counted> counted(kDomains);
  for (size_t i = 0; i < kDomains; ++i) {
    domains.push_back(std::make_unique<Domain>(i % 2 ? init_srcu_struct : init_srcu_struct_fast));
    counted[i].post(*domains[i]);
    start_poll_synchronize_srcu(*domains[i]);
  }
  for (auto& domain : domains) srcu_barrier(*domain), synchronize_srcu(*domain);
  // It comes to rest: nothing is queued, and it has gone to sleep.
  HelperTime before = HelperTime::now();
  ASSERT_GT(before.times, 0u) << "no such thread";
  EXPECT_TRUE(test::eventually([&] {
    const HelperTime last = before;
    usleep(20'000);
    before = HelperTime::now();
    return last.times == before.times;
  }));
  timespec cpu_before, cpu_after;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_before);
  sleep(1);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_after);
  const HelperTime after = HelperTime::now();
  EXPECT_EQ(after.times, before.times) << "it woke up";
  EXPECT_EQ(after.ran_ns, before.ran_ns);
  const long used_ns = (cpu_after.tv_sec - cpu_before.tv_sec) * 1'000'000'000 + cpu_after.tv_nsec - cpu_before.tv_nsec;
  if (!test::kSanitized) {
    EXPECT_LT(used_ns, 2'000'000);
  }
}

}  // namespace
}  // namespace srcu
