#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harness {

/// No machine has a CPU of this number; keeps a mistyped number from asking for gigabytes of mask.
constexpr unsigned kCpuLimit = 1u << 20;

/// "0-3,8": the set, sorted, as taskset and /sys write it.
std::string cpu_list_text(std::vector<unsigned> cpus);

/// Reads "0,4" or "0-3,8" in the order written, repeats kept. UsageError when it is not such a list.
std::vector<unsigned> parse_cpu_list(std::string_view text);

}  // namespace harness
