// The benchmarks of deferral, for a program that has others, too.
#pragma once

namespace torture::kernel {

/// Before benchmark::Initialize().
void register_benchmarks();

}  // namespace torture::kernel
