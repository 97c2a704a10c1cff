#include "harness/engine/names.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <fmt/format.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "harness/engine/renew.hpp"
#include "harness/supervise/symbols.hpp"

namespace engine {
namespace {

uintptr_t load_address() {
  uintptr_t address = 0;
  dl_iterate_phdr([](dl_phdr_info* info, size_t, void* to) { return *static_cast<uintptr_t*>(to) = info->dlpi_addr, 1; }, &address);
  return address;
}

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain(abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  std::string text = status == 0 ? plain.get() : name;
  for (const std::string_view noise : {"(anonymous namespace)::"})
    for (size_t at; (at = text.find(noise)) != text.npos;) text.erase(at, noise.size());
  // A static variable of a function: its own name is enough.
  return text.find(')') == text.npos ? text : text.substr(text.rfind("::") == text.npos ? 0 : text.rfind("::") + 2);
}

/// The symbol table, which is not among what the loader maps.
std::vector<Variable> read_variables() {
  std::ifstream in("/proc/self/exe", std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  const std::string file = all.str();
  std::vector<Variable> found;
  if (file.size() < sizeof(Elf64_Ehdr)) return found;
  const auto& header = *reinterpret_cast<const Elf64_Ehdr*>(file.data());
  const auto* sections = reinterpret_cast<const Elf64_Shdr*>(file.data() + header.e_shoff);
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    const auto* symbols = reinterpret_cast<const Elf64_Sym*>(file.data() + sections[i].sh_offset);
    const char* names = file.data() + sections[sections[i].sh_link].sh_offset;
    for (size_t s = 0; s < sections[i].sh_size / sizeof(Elf64_Sym); ++s)
      if (ELF64_ST_TYPE(symbols[s].st_info) == STT_OBJECT && symbols[s].st_size != 0)
        found.push_back({load_address() + symbols[s].st_value, symbols[s].st_size, names + symbols[s].st_name});
  }
  std::sort(found.begin(), found.end(), [](const Variable& a, const Variable& b) { return a.begin < b.begin; });
  return found;
}

std::string plus(std::string base, uintptr_t offset) { return offset == 0 ? base : fmt::format("{}+{:#x}", base, offset); }

/// "function at file.cpp:12" of the innermost inlined call that is of interest.
std::string line_in(const std::string& chain) {
  std::istringstream lines(chain);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.rfind(" at ");
    if (at == line.npos) continue;
    last = line.substr(at + 4);
    last = last.substr(0, last.find(' '));
    const bool standard = last.starts_with("atomic") || last.starts_with("shared_ptr") || last.starts_with("std_") ||
                          last.starts_with("stl_") || last.starts_with("unique_");
    if (!standard) break;
  }
  return last.empty() ? chain : last;
}

}  // namespace

const std::vector<Variable>& variables() {
  static const std::vector<Variable> all = read_variables();
  return all;
}

const Variable* variable_of(uintptr_t address) {
  auto after = std::upper_bound(variables().begin(), variables().end(), address,
                                [](uintptr_t wanted, const Variable& one) { return wanted < one.begin; });
  if (after == variables().begin()) return nullptr;
  const Variable& it = *--after;
  return address - it.begin < it.bytes ? &it : nullptr;
}

std::string variable_at(uintptr_t address) {
  if (const Variable* it = variable_of(address)) return plus(demangled(it->name.c_str()), address - it->begin);
  const void* const pointer = reinterpret_cast<const void*>(address);
  if (in_arena(pointer)) return fmt::format("memory+{:#x}", address & 0xffffffff);
  return fmt::format("{:#x}", address);
}

namespace {

/// What addr2line says of each.
std::map<uintptr_t, std::string> chains_of(const std::set<uintptr_t>& return_addresses) {
  std::vector<harness::CodeAddress> wanted;
  for (uintptr_t one : return_addresses) wanted.push_back({one, false});
  const auto chains = harness::name_addresses(getpid(), wanted, "addr2line", 20);
  std::map<uintptr_t, std::string> found;
  for (size_t i = 0; i < wanted.size(); ++i) found[wanted[i].address] = chains[i];
  return found;
}

}  // namespace

std::map<uintptr_t, std::vector<std::string>> inlined_lines_of(const std::set<uintptr_t>& return_addresses) {
  std::map<uintptr_t, std::vector<std::string>> lines;
  for (const auto& [address, chain] : chains_of(return_addresses)) {
    std::istringstream functions(chain);
    for (std::string function; std::getline(functions, function);)
      if (const size_t at = function.rfind(" at "); at != function.npos)
        lines[address].push_back(function.substr(at + 4, function.find(' ', at + 4) - at - 4));
  }
  return lines;
}

std::map<uintptr_t, std::string> lines_of(const std::set<uintptr_t>& return_addresses) {
  std::map<uintptr_t, std::string> lines;
  for (const auto& [address, chain] : chains_of(return_addresses)) lines[address] = line_in(chain);
  return lines;
}

}  // namespace engine
