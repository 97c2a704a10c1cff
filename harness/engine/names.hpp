// Names of variables and of lines of the program itself.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace engine {

/// "x", "domain+0x40", "memory+0x20", "stack of T2+0x18", or the address.
std::string variable_at(uintptr_t address);

/// "file.cpp:12" for each return address, of the innermost function that is not the standard library's.
std::map<uintptr_t, std::string> lines_of(const std::set<uintptr_t>& return_addresses);

}  // namespace engine
