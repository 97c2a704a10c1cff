#pragma once

#include <cstdint>
#include <filesystem>

namespace harness {

/// How many processes the kernel has killed for lack of memory: in this process's memory cgroup (version 2 or
/// 1) if it can be read, else on the whole machine. Only differences mean something. 0 where nothing tells.
/// `root` stands for "/" in tests.
uint64_t oom_kills(const std::filesystem::path& root = "/");

}  // namespace harness
