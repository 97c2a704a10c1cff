#include "torture/kernel/hardware_counts.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace torture::kernel {
namespace {

constexpr uint64_t kLoadMisses =
    PERF_COUNT_HW_CACHE_L1D | PERF_COUNT_HW_CACHE_OP_READ << 8 | PERF_COUNT_HW_CACHE_RESULT_MISS << 16;

int open_one(uint32_t type, uint64_t what, int group) {
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = type;
  wanted.config = what;
  wanted.read_format = PERF_FORMAT_GROUP;
  wanted.exclude_kernel = 1;
  wanted.exclude_hv = 1;
  return static_cast<int>(syscall(SYS_perf_event_open, &wanted, 0, -1, group, PERF_FLAG_FD_CLOEXEC));
}

Counts difference(const Counts& end, const Counts& begin) {
  const auto less = [](uint64_t from, uint64_t what) { return from - std::min(from, what); };
  return {less(end.instructions, begin.instructions), less(end.lines, begin.lines)};
}

}  // namespace

HardwareCounts::HardwareCounts() {
  const char* const wanted = getenv("SRCU_BENCH_COUNT");
  if (!wanted) return;
  const bool software = strcmp(wanted, "software") == 0;
  first_ = software ? open_one(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, -1)
                    : open_one(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, -1);
  if (first_ < 0) return;
  second_ = software ? open_one(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, first_)
                     : open_one(PERF_TYPE_HW_CACHE, kLoadMisses, first_);
  asking_ = {UINT64_MAX, UINT64_MAX};
  for (int i = 0; open() && i < 100; ++i) {
    const Counts begin = now(), took = difference(now(), begin);
    asking_ = {std::min(asking_.instructions, took.instructions), std::min(asking_.lines, took.lines)};
  }
}

HardwareCounts::~HardwareCounts() {
  if (second_ >= 0) close(second_);
  if (first_ >= 0) close(first_);
}

Counts HardwareCounts::now() const {
  struct {
    uint64_t members;
    Counts counts;
  } answer{};
  if (read(first_, &answer, sizeof answer) != static_cast<ssize_t>(sizeof answer)) return {};
  return answer.counts;
}

Counts HardwareCounts::since(const Counts& begin) const { return difference(difference(now(), begin), asking_); }

}  // namespace torture::kernel
