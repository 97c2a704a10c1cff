// What an empty section costs, and what it may be held against. Time is the threads' CPU time.
#include <benchmark/benchmark.h>
#include <pthread.h>

#include <utility>

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
template <int kShift>
void read_qsbr(benchmark::State& state) {
  const Attached<UrcuQsbr> attached(state.thread_index());
  unsigned sections = 0;
  shift<kShift>();
  for (auto _ : state) {
    UrcuQsbr::lock();
    benchmark::ClobberMemory();
    UrcuQsbr::unlock(0);
    if (++sections % 16 == 0) urcu_qsbr_quiescent_state();
  }
}

template <int kShift>
void empty_loop(benchmark::State& state) {
  const Pinned pinned(state.thread_index());
  shift<kShift>();
  for (auto _ : state) benchmark::ClobberMemory();
}

template <int kShift>
void plain_inc_pair(benchmark::State& state) {
  const Pinned pinned(state.thread_index());
  alignas(128) uint64_t line[8] = {};
  benchmark::DoNotOptimize(&line);
  shift<kShift>();
  for (auto _ : state) {
    ++line[0];
    benchmark::ClobberMemory();
    ++line[2];
    benchmark::ClobberMemory();
  }
}

template <int kShift>
void fence_pair(benchmark::State& state) {
  const Pinned pinned(state.thread_index());
  shift<kShift>();
  for (auto _ : state) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    benchmark::ClobberMemory();
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  }
}

pthread_rwlock_t rwlock_of_all = PTHREAD_RWLOCK_INITIALIZER;

template <int kShift>
void rwlock(benchmark::State& state) {
  const Pinned pinned(state.thread_index());
  shift<kShift>();
  for (auto _ : state) {
    pthread_rwlock_rdlock(&rwlock_of_all);
    benchmark::ClobberMemory();
    pthread_rwlock_unlock(&rwlock_of_all);
  }
}

/// Four copies of the same name: where a loop of so few instructions stands in memory moves its time by up to a half, for
/// each at another place. Who compares takes the median of all.
template <class What>
bool at_four_places(const char* name, What) {
  const auto copies = [name]<int... kNumbers>(std::integer_sequence<int, kNumbers...>) {
    (benchmark::RegisterBenchmark(name, [](benchmark::State& state) { What().template operator()<16 * kNumbers>(state); })
         ->Threads(1)->Threads(2), ...);
  };
  copies(std::make_integer_sequence<int, 4>());
  return true;
}

template <class Flavour>
bool readers(const char* name) {
  return at_four_places(name, []<int kShift>(benchmark::State& state) { read<Flavour, kShift>(state); });
}

[[maybe_unused]] const bool registered[] = {
    readers<Srcu>("read/srcu"),
    readers<SrcuNmiSafe>("read/srcu-nmisafe"),
    readers<SrcuUpdown>("read/srcu-updown"),
    readers<SrcuFast>("read/srcu-fast"),
    readers<SrcuFastUpdown>("read/srcu-fast-updown"),
    readers<TasksTrace>("read/tasks-trace"),
    readers<UrcuMemb>("read/urcu-memb"),
    readers<UrcuMemb>("read/urcu-memb-again"),  // the noise floor, as other names so
    readers<UrcuMb>("read/urcu-mb"),
    readers<UrcuMb>("read/urcu-mb-again"),
    readers<UrcuBp>("read/urcu-bp"),
#ifdef SRCU_BENCH_CK
    readers<CkEpoch>("read/ck-epoch"),
#endif
#ifdef SRCU_BENCH_CDS
    readers<CdsInstant>("read/cds-instant"),
#endif
    at_four_places("read/urcu-qsbr", []<int kShift>(benchmark::State& state) { read_qsbr<kShift>(state); }),
    at_four_places("read/empty_loop", []<int kShift>(benchmark::State& state) { empty_loop<kShift>(state); }),
    at_four_places("read/plain_inc_pair", []<int kShift>(benchmark::State& state) { plain_inc_pair<kShift>(state); }),
    at_four_places("read/plain_inc_pair-again", []<int kShift>(benchmark::State& state) { plain_inc_pair<kShift>(state); }),
    at_four_places("read/fence_pair", []<int kShift>(benchmark::State& state) { fence_pair<kShift>(state); }),
    at_four_places("read/rwlock", []<int kShift>(benchmark::State& state) { rwlock<kShift>(state); }),
};

}  // namespace
}  // namespace srcu_bench
