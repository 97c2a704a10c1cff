// What single calls took.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace srcu_bench {

/// The median as the iteration's time; how many there were, as `count`; and where ten lie beyond it,
/// `p99_ns`.
inline void tell(benchmark::State& state, std::vector<uint64_t> took_ns) {
  constexpr size_t kEnoughForP99 = 1000;
  std::sort(took_ns.begin(), took_ns.end());
  state.SetIterationTime(static_cast<double>(took_ns[took_ns.size() / 2]) * 1e-9);
  state.counters["count"] = static_cast<double>(took_ns.size());
  if (took_ns.size() >= kEnoughForP99)
    state.counters["p99_ns"] = static_cast<double>(took_ns[took_ns.size() * 99 / 100]);
}

}  // namespace srcu_bench
