// The benchmark program. Says in its output how it was built: figures of a debug or sanitizer build mean
// nothing beside others, and scripts that compare refuse them.
#include <benchmark/benchmark.h>

#include "srcu/bench/flavours.hpp"
#include "torture/kernel/benchmarks.hpp"

namespace {

/// Helper threads inherit the CPUs of who starts them; benchmarks pin themselves, and shall not pin those.
template <class Flavour>
void start_helper() {
  rcu_head head;
  Flavour::attach();
  Flavour::call(&head, [](rcu_head*) {});
  Flavour::barrier();
  Flavour::detach();
}

#ifndef __has_feature
#define __has_feature(x) 0
#endif

constexpr const char* build() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || __has_feature(thread_sanitizer) || \
    __has_feature(address_sanitizer)
  return "sanitizer";
#elif defined(SRCU_DEBUG) || !defined(NDEBUG) || !defined(__OPTIMIZE__)
  return "debug";
#else
  return "release";
#endif
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::AddCustomContext("srcu_build", build());
  benchmark::AddCustomContext("compiler", __VERSION__);
  torture::kernel::register_benchmarks();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  start_helper<srcu_bench::Srcu>();
  start_helper<srcu_bench::UrcuMemb>();
  start_helper<srcu_bench::UrcuMb>();
  start_helper<srcu_bench::UrcuQsbr>();
  start_helper<srcu_bench::UrcuBp>();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
