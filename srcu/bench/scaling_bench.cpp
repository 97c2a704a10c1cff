// What grows: grace periods with those who wait for them, their scans with the threads that ever read, memory
// with domains and readers.
#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "flavours.hpp"
#include "thread.hpp"

namespace srcu_bench {
namespace {

bool asleep(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string number, name, state;
  file >> number >> name >> state;  // the name is this program's, without a space
  return state == "S";
}

/// Threads that wait at once: all of them are asleep in synchronize_srcu() when the section ends that they
/// wait for. Time is from there until the last has returned.
template <class Flavour>
void waiters(benchmark::State& state) {
  const auto number = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    std::vector<std::atomic<pid_t>> ids(number);
    std::vector<std::jthread> threads;
    const unsigned long before = srcu_batches_completed(&Flavour::domain());
    const auto token = Flavour::lock();
    for (auto& id : ids) {
      threads.emplace_back([&id] {
        id.store(gettid(), std::memory_order_relaxed);  // relaxed: a number
        Flavour::synchronize();
      });
    }
    for (auto& id : ids) {
      while (!id.load(std::memory_order_relaxed) || !asleep(id.load(std::memory_order_relaxed)))
        usleep(100);  // as above
    }
    const uint64_t begin = wall_ns();
    Flavour::unlock(token);
    threads.clear();
    state.SetIterationTime(static_cast<double>(wall_ns() - begin) * 1e-9);
    state.counters["grace_periods"] =
        static_cast<double>(srcu_batches_completed(&Flavour::domain()) - before);
  }
}

/// Resident bytes of a domain's update side.
size_t resident(const srcu_struct& domain) {
  constexpr size_t kPage = 4096, kReserved = 513 * 1024;  // as srcu.h says
  unsigned char pages[(kReserved + kPage - 1) / kPage] = {};
  mincore(domain.srcu_sup, kReserved, pages);
  size_t bytes = 0;
  for (const unsigned char page : pages) bytes += (page & 1) * kPage;
  return bytes;
}

struct Scanned {
  double ns;
  size_t bytes;
};

/// CPU time of one grace period of a domain in which so many threads, all at a time, have read.
Scanned scan(size_t readers) {
  static DEFINE_SRCU(domain);
  {
    std::barrier all_have_read(static_cast<std::ptrdiff_t>(readers));
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < readers; ++i) {
      threads.emplace_back([&all_have_read] {
        srcu_read_unlock(&domain, srcu_read_lock(&domain));
        all_have_read.arrive_and_wait();
      });
    }
  }
  const size_t bytes = resident(domain);
  uint64_t shortest = ~uint64_t{0};
  constexpr unsigned kTries = 50, kTogether = 20;
  for (unsigned i = 0; i < kTries; ++i) {
    const uint64_t begin = cpu_ns();
    for (unsigned j = 0; j < kTogether; ++j) synchronize_srcu(&domain);
    shortest = std::min(shortest, cpu_ns() - begin);
  }
  return {static_cast<double>(shortest) / kTogether, bytes};
}

/// In a process of its own: how many threads ever read is the process's, and every later benchmark would scan
/// them.
void synchronize_after(benchmark::State& state) {
  for (auto _ : state) {
    auto* const answer = static_cast<Scanned*>(
        mmap(nullptr, sizeof(Scanned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    srcu_before_fork();
    const pid_t child = fork();
    if (child == 0) {
      srcu_after_fork_child();
      *answer = scan(static_cast<size_t>(state.range(0)));
      _exit(0);
    }
    srcu_after_fork_parent();
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) state.SkipWithError("the child that scans ended badly");
    state.SetIterationTime(answer->ns * 1e-9);
    state.counters["bytes"] = static_cast<double>(answer->bytes);
    munmap(answer, sizeof(Scanned));
  }
}

/// Resident bytes of a domain that has been used by a few threads.
void domain_bytes(benchmark::State& state) {
  for (auto _ : state) {
    srcu_struct domain;
    if (init_srcu_struct(&domain) != 0) return state.SkipWithError("no memory for a domain");
    srcu_read_unlock(&domain, srcu_read_lock(&domain));
    synchronize_srcu(&domain);
    state.counters["bytes"] = static_cast<double>(sizeof domain + resident(domain));
    cleanup_srcu_struct(&domain);
  }
}

void once(benchmark::internal::Benchmark* benchmark) { benchmark->Iterations(1)->UseManualTime(); }

BENCHMARK(waiters<Srcu>)->Name("synchronize/srcu")->ArgName("waiters")->Arg(64)->Apply(once);
BENCHMARK(waiters<SrcuFast>)->Name("synchronize/srcu-fast")->ArgName("waiters")->Arg(64)->Apply(once);
BENCHMARK(synchronize_after)
    ->Name("synchronize/srcu")
    ->ArgName("ever")
    ->Arg(16)
    ->Arg(256)
    ->Arg(4096)
    ->Apply(once);
BENCHMARK(domain_bytes)->Name("domain/srcu");

}  // namespace
}  // namespace srcu_bench
