#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace harness {

/// A place in a stack: where the thread is, `exact`, or where a call will return to.
struct CodeAddress {
  uintptr_t address;
  bool exact;
};

/// Names code addresses of process `pid`, one line each: "function at file:line" by `addr2line` (searched in
/// PATH; empty: do not use it), else "function (library+0x12)" by the dynamic symbols, else "library+0x12".
/// Takes up to `seconds`, and then names the rest the last two ways. The caller must be the process itself or
/// the one it was forked from. Broken if no helper process can be had.
std::vector<std::string> name_addresses(pid_t pid, const std::vector<CodeAddress>& addresses,
                                        const std::string& addr2line, double seconds);

}  // namespace harness
