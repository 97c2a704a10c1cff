// What an empty section costs, and what it may be held against. Time is the threads' CPU time.
#include <benchmark/benchmark.h>
#include <pthread.h>

#include "flavours.hpp"
#include "peers.hpp"
#include "thread.hpp"

namespace srcu_bench {
namespace {

/// Nothing happens but that what follows stands so many bytes further behind a 64-byte boundary.
template <int kBytes>
[[gnu::always_inline]] inline void shift() {
  if constexpr (kBytes != 0) __asm__ __volatile__(".skip %c0, 0x90" : : "i"(kBytes));  // no-operations
}

template <class Flavour, int kShift>
void read(benchmark::State& state) {
  const Attached<Flavour> attached(state.thread_index());
  shift<kShift>();
  for (auto _ : state) {
    const auto token = Flavour::lock();
    benchmark::ClobberMemory();
    Flavour::unlock(token);
  }
}

/// Quiescent-state readers pay between sections: once in sixteen here.
void read_qsbr(benchmark::State& state) {
  const Attached<UrcuQsbr> attached(state.thread_index());
  unsigned sections = 0;
  for (auto _ : state) {
    UrcuQsbr::lock();
    benchmark::ClobberMemory();
    UrcuQsbr::unlock(0);
    if (++sections % 16 == 0) urcu_qsbr_quiescent_state();
  }
}

void empty_loop(benchmark::State& state) {
  const Pinned pinned(state.thread_index());
  for (auto _ : state) benchmark::ClobberMemory();
}

void plain_inc_pair(benchmark::State& state) {
  const Pinned pinned(state.thread_index());
  alignas(128) uint64_t line[8] = {};
  benchmark::DoNotOptimize(&line);
  for (auto _ : state) {
    ++line[0];
    benchmark::ClobberMemory();
    ++line[2];
    benchmark::ClobberMemory();
  }
}

void fence_pair(benchmark::State& state) {
  const Pinned pinned(state.thread_index());
  for (auto _ : state) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    benchmark::ClobberMemory();
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  }
}

pthread_rwlock_t rwlock_of_all = PTHREAD_RWLOCK_INITIALIZER;

void rwlock(benchmark::State& state) {
  const Pinned pinned(state.thread_index());
  for (auto _ : state) {
    pthread_rwlock_rdlock(&rwlock_of_all);
    benchmark::ClobberMemory();
    pthread_rwlock_unlock(&rwlock_of_all);
  }
}

void one_and_two(benchmark::internal::Benchmark* benchmark) { benchmark->Threads(1)->Threads(2); }

/// Four copies of the same name: where a loop of so few instructions stands in memory moves its time by up to a half, for
/// each flavour at another place. The minimum is of the best place, for all.
template <class Flavour>
bool at_four_places(const char* name) {
  for (const auto copy : {read<Flavour, 0>, read<Flavour, 16>, read<Flavour, 32>, read<Flavour, 48>})
    benchmark::RegisterBenchmark(name, copy)->Apply(one_and_two);
  return true;
}

[[maybe_unused]] const bool registered[] = {
    at_four_places<Srcu>("read/srcu"),
    at_four_places<SrcuFast>("read/srcu-fast"),
    at_four_places<SrcuFastUpdown>("read/srcu-fast-updown"),
    at_four_places<TasksTrace>("read/tasks-trace"),
    at_four_places<UrcuMemb>("read/urcu-memb"),
    at_four_places<UrcuMemb>("read/urcu-memb-again"),  // the noise floor, as other names so
    at_four_places<UrcuMb>("read/urcu-mb"),
    at_four_places<UrcuMb>("read/urcu-mb-again"),
    at_four_places<UrcuBp>("read/urcu-bp"),
#ifdef SRCU_BENCH_CK
    at_four_places<CkEpoch>("read/ck-epoch"),
#endif
#ifdef SRCU_BENCH_CDS
    at_four_places<CdsInstant>("read/cds-instant"),
#endif
};
BENCHMARK(read_qsbr)->Name("read/urcu-qsbr")->Apply(one_and_two);
BENCHMARK(empty_loop)->Name("read/empty_loop")->Apply(one_and_two);
BENCHMARK(plain_inc_pair)->Name("read/plain_inc_pair")->Apply(one_and_two);
BENCHMARK(plain_inc_pair)->Name("read/plain_inc_pair-again")->Apply(one_and_two);
BENCHMARK(fence_pair)->Name("read/fence_pair")->Apply(one_and_two);
BENCHMARK(rwlock)->Name("read/rwlock")->Apply(one_and_two);

}  // namespace
}  // namespace srcu_bench
