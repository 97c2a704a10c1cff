#include "harness/threads/pin_watch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/errors.hpp"
#include "harness/supervise/proc.hpp"
#include "harness/topology/bind.hpp"
#include "harness/topology/cpu_list.hpp"

namespace harness {
namespace {

unsigned last_cpu(pid_t tid) {
  const auto stat = proc_stat(getpid(), tid);
  if (!stat)
    throw Broken(fmt::format(
        "cannot read where thread {} runs: mount /proc, and leave this process some memory", tid));
  return static_cast<unsigned>(stat->processor);
}

[[noreturn]] void refuse(const std::string& name, unsigned pu, const std::string& found) {
  throw Broken(fmt::format(
      "thread {} was pinned to CPU {}, but {}: something else places threads here (a CPU manager, "
      "taskset, a cpuset); keep it off this process, or run unpinned with --place none",
      name, pu, found));
}

}  // namespace

void PinWatch::add(const NamedThread& thread) {
  pins_.push_back({thread.name(), thread.tid(), thread.pu(), proc_migrations(getpid(), thread.tid()),
                   last_cpu(thread.tid())});
}

void PinWatch::check(const Pin& pin, unsigned cpu) const {
  if (!pin.pu) return;
  if (const auto mask = affinity(pin.tid); mask != shuffle_.allowed(pin.pu))
    refuse(pin.name, *pin.pu, fmt::format("it may now run on {}", cpu_list_text(mask)));
  // A sleeper that was shuffled leaves its old CPU only when it wakes.
  if (shuffle_.firings() == 0 && cpu != *pin.pu)
    refuse(pin.name, *pin.pu, fmt::format("it runs on CPU {}", cpu));
}

void PinWatch::look() {
  const auto still = shuffle_.hold();
  for (Pin& pin : pins_) {
    const unsigned cpu = last_cpu(pin.tid);
    check(pin, cpu);
    const auto moves = proc_migrations(getpid(), pin.tid);
    migrations_ += moves && pin.moves ? *moves - *pin.moves : cpu != pin.cpu;
    pin.moves = moves;
    pin.cpu = cpu;
  }
}

}  // namespace harness
