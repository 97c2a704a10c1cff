// Names of variables and of lines of the program itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace engine {

/// Of the program itself.
struct Variable {
  uintptr_t begin;
  size_t bytes;
  std::string name;  ///< As the linker knows it.
};

/// By address; none if they were stripped.
const std::vector<Variable>& variables();

/// Null if there is none.
const Variable* variable_of(uintptr_t address);

/// "x", "domain+0x40", "memory+0x20", "stack of T2+0x18", or the address.
std::string variable_at(uintptr_t address);

/// "file.cpp:12" for each return address, of the innermost function that is not the standard library's.
std::map<uintptr_t, std::string> lines_of(const std::set<uintptr_t>& return_addresses);

/// For each return address, the same of all functions that were inlined there, the innermost first.
std::map<uintptr_t, std::vector<std::string>> inlined_lines_of(const std::set<uintptr_t>& return_addresses);

}  // namespace engine
