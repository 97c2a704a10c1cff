#include "harness/topology/bind.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "harness/base/errors.hpp"
#include "harness/topology/cpu_list.hpp"

namespace harness {
namespace {

/// cpu_set_t of a chosen width, since the fixed one ends at CPU 1023.
class Mask {
 public:
  explicit Mask(unsigned cpus) : set_(CPU_ALLOC(cpus)), bytes_(CPU_ALLOC_SIZE(cpus)) {
    if (!set_) throw Broken("no memory for a CPU mask: free some memory and run again");
    CPU_ZERO_S(bytes_, set_.get());
  }
  cpu_set_t* set() const { return set_.get(); }
  size_t bytes() const { return bytes_; }
  void add(unsigned cpu) { CPU_SET_S(cpu, bytes_, set_.get()); }
  bool has(unsigned cpu) const { return CPU_ISSET_S(cpu, bytes_, set_.get()); }

 private:
  struct Free {
    void operator()(cpu_set_t* set) const { CPU_FREE(set); }
  };
  std::unique_ptr<cpu_set_t, Free> set_;
  size_t bytes_;
};

[[noreturn]] void refuse(unsigned pu, const std::string& why) {
  throw Broken(
      fmt::format("cannot pin this thread to PU {}: {}; it may run on {}: choose from these with --place "
                  "list:..., or run unpinned with --place none",
                  pu, why, cpu_list_text(affinity())));
}

}  // namespace

std::vector<unsigned> affinity(pid_t thread) {
  // The kernel answers EINVAL while the mask is narrower than its own.
  for (unsigned width = 1024; width <= kCpuLimit; width *= 2) {
    const Mask mask(width);
    if (sched_getaffinity(thread, mask.bytes(), mask.set()) == 0) {
      std::vector<unsigned> cpus;
      for (unsigned cpu = 0; cpu < width; ++cpu)
        if (mask.has(cpu)) cpus.push_back(cpu);
      return cpus;
    }
    if (errno != EINVAL) break;
  }
  throw Broken(fmt::format("cannot read the CPU affinity ({}): allow sched_getaffinity in this sandbox",
                           std::strerror(errno)));
}

std::string confine(pid_t thread, std::vector<unsigned> pus) {
  std::ranges::sort(pus);
  if (pus.back() >= kCpuLimit) return "no machine has such a number";
  Mask mask(pus.back() + 1);
  for (const unsigned pu : pus) mask.add(pu);
  if (sched_setaffinity(thread, mask.bytes(), mask.set()) != 0) return std::strerror(errno);
  // Some sandboxes answer 0 and do nothing; a run that only believes itself pinned is worse than none.
  return affinity(thread) == pus ? "" : "the kernel kept another mask";
}

void bind_this_thread(unsigned pu) {
  if (const std::string why = confine(0, {pu}); !why.empty()) refuse(pu, why);
  if (const unsigned cpu = current_cpu(); cpu != pu)
    refuse(pu, fmt::format("the thread still runs on CPU {}", cpu));
}

unsigned current_cpu() {
  const int cpu = sched_getcpu();
  if (cpu < 0)
    throw Broken(
        fmt::format("cannot tell the current CPU ({}): allow getcpu in this sandbox", std::strerror(errno)));
  return static_cast<unsigned>(cpu);
}

}  // namespace harness
