#include "harness/supervise/symbols.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "harness/base/clock.hpp"
#include "harness/supervise/command.hpp"

namespace harness {
namespace {

/// A file mapped into the process.
struct Mapping {
  uintptr_t begin, end;
  uintptr_t base;  ///< What to take off an address to get the one inside the file.
  std::string file;
};

/// Position-dependent programs are linked to the addresses they run at.
bool fixed_addresses(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  Elf64_Ehdr head{};
  return in.read(reinterpret_cast<char*>(&head), sizeof head) && head.e_type == ET_EXEC;
}

/// Lines of proc(5) maps: "begin-end perms offset dev inode file".
std::vector<Mapping> mappings(pid_t pid) {
  std::ifstream maps(fmt::format("/proc/{}/maps", pid));
  std::map<std::string, uintptr_t> bases;
  std::vector<Mapping> found;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    uintptr_t begin = 0, end = 0, offset = 0;
    std::string perms, device, inode, file;
    char dash = 0;
    fields >> std::hex >> begin >> dash >> end >> perms >> offset >> device >> inode >> std::ws;
    if (!std::getline(fields, file) || file.empty()) continue;
    if (offset == 0 && !bases.contains(file)) bases[file] = fixed_addresses(file) ? 0 : begin;
    const auto base = bases.find(file);
    if (base != bases.end()) found.push_back({begin, end, base->second, file});
  }
  return found;
}

const Mapping* mapping_of(const std::vector<Mapping>& all, uintptr_t address) {
  const auto hit = std::find_if(all.begin(), all.end(), [address](const Mapping& one) {
    return one.begin <= address && address < one.end;
  });
  return hit == all.end() ? nullptr : &*hit;
}

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 ? plain.get() : name;
}

/// Without a helper program: this process has the same files at the same places, as far as they were mapped
/// before the fork; the base tells.
std::string plain_name(const Mapping* mapping, uintptr_t address) {
  if (!mapping) return fmt::format("{:#x}", address);
  const std::string place = fmt::format("{}+{:#x}", std::filesystem::path(mapping->file).filename().string(),
                                        address - mapping->base);
  Dl_info info{};
  const bool known = dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_sname;
  if (!known || (mapping->base != 0 && reinterpret_cast<uintptr_t>(info.dli_fbase) != mapping->base))
    return place;
  return fmt::format("{} ({})", demangled(info.dli_sname), place);
}

struct Wanted {
  size_t index;
  uintptr_t offset;
};

/// A line for each address, more where functions were inlined, "?? ??:0" for what it does not know; that
/// keeps the name it has.
void ask_addr2line(const std::string& addr2line, const std::string& file, const std::vector<Wanted>& wanted,
                   double seconds, std::vector<std::string>& names) {
  std::vector<std::string> argv{addr2line, "-C", "-f", "-i", "-p", "-s", "-e", file};
  for (const Wanted& one : wanted) argv.push_back(fmt::format("{:#x}", one.offset));
  const Said said = run_bounded(argv, seconds, 1 << 20);
  if (said.exit_code != 0) return;
  std::istringstream lines(said.output);
  auto at = wanted.begin();
  std::string* name = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(" (inlined by)")) {
      if (name) *name += "\n  " + line;
      continue;
    }
    if (at == wanted.end()) return;
    name = line.starts_with("??") ? nullptr : &names[at->index];
    if (name) *name = line;
    ++at;
  }
}

}  // namespace

std::vector<std::string> name_addresses(pid_t pid, const std::vector<CodeAddress>& addresses,
                                        const std::string& addr2line, double seconds) {
  const std::vector<Mapping> all = mappings(pid);
  std::vector<std::string> names;
  std::map<std::string, std::vector<Wanted>> by_file;
  for (const auto& [address, exact] : addresses) {
    // A call may be the last instruction of its function: what returns there belongs to the one before.
    const uintptr_t inside = exact ? address : address - 1;
    const Mapping* mapping = mapping_of(all, inside);
    if (mapping && mapping->file.starts_with('/'))
      by_file[mapping->file].push_back({names.size(), inside - mapping->base});
    names.push_back(plain_name(mapping, inside));
  }
  if (addr2line.empty()) return names;
  const uint64_t deadline = now_ns() + static_cast<uint64_t>(seconds * 1e9);
  for (const auto& [file, wanted] : by_file) {
    const uint64_t now = now_ns();
    if (now >= deadline) break;
    ask_addr2line(addr2line, file, wanted, static_cast<double>(deadline - now) / 1e9, names);
  }
  return names;
}

}  // namespace harness
