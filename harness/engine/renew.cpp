#include "harness/engine/renew.hpp"

#include <link.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "harness/engine/fatal.hpp"
#include "harness/engine/names.hpp"

namespace engine {
namespace {

// Memory is put back in units of this size where controlled threads wrote, and in whole variables where they did anything: not all of
// it, since the engine's own variables, and those of libraries that it uses, stand among the others.
constexpr size_t kUnit = 8;
constexpr size_t kLargest = size_t{64} << 10;  // larger variables would have to be compared for each execution, too

constexpr uintptr_t kArena = 0x1000000000;
constexpr size_t kArenaBytes = size_t{1} << 30;
constexpr uint64_t kInUse = 0xa110ca7ed, kFreed = 0xf4eed;

/// In front of each object.
struct Header {
  uint64_t state;
  size_t bytes;
};

struct Area {
  uintptr_t begin = 0, end = 0;
  std::vector<char> kept;
  std::vector<bool> written;
  std::vector<bool> used;  ///< In any execution so far.
};

/// A variable that controlled threads use.
struct Whole {
  void* at;
  const char* kept;
  size_t bytes;
};

struct Program {
  std::vector<Area> areas;
  std::vector<std::pair<Area*, size_t>> written;  ///< Units, each once.
  std::vector<Whole> whole;
  uintptr_t arena_next = kArena;
  uintptr_t loaded_at = 0;
  size_t bytes = 0;  ///< From there on.
};

Program* program;  // set once

/// The writable segments of the program itself, without what the loader made read-only.
int first_object(dl_phdr_info* info, size_t, void*) {
  program->loaded_at = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i)
    if (const auto& header = info->dlpi_phdr[i]; header.p_type == PT_LOAD)
      program->bytes = std::max(program->bytes, size_t{header.p_vaddr + header.p_memsz});
  uintptr_t read_only_end = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i)
    if (const auto& header = info->dlpi_phdr[i]; header.p_type == PT_GNU_RELRO)
      read_only_end = info->dlpi_addr + header.p_vaddr + header.p_memsz;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) == 0) continue;
    Area area;
    area.begin = info->dlpi_addr + header.p_vaddr;
    area.end = (area.begin + header.p_memsz + kUnit - 1) / kUnit * kUnit;
    if (area.begin < read_only_end && read_only_end <= area.end) area.begin = read_only_end;
    area.begin = area.begin / kUnit * kUnit;
    program->areas.push_back(std::move(area));
  }
  return 1;
}

/// For the first time.
void use_variable(Area& area, uintptr_t address) {
  area.used[(address - area.begin) / kUnit] = true;
  const Variable* const it = variable_of(address);
  if (!it || it->bytes > kLargest || it->begin < area.begin || it->begin + it->bytes > area.end) return;
  for (uintptr_t unit = (it->begin - area.begin + kUnit - 1) / kUnit; unit < (it->begin + it->bytes - area.begin) / kUnit; ++unit)
    area.used[unit] = true;
  program->whole.push_back({reinterpret_cast<void*>(it->begin), area.kept.data() + (it->begin - area.begin), it->bytes});
}

}  // namespace

void keep_program() {
  if (program) fatal("the program's variables are kept already");
  program = new Program;
  dl_iterate_phdr(first_object, nullptr);
  variables();  // now, or they would be read in the midst of an execution
  for (Area& area : program->areas) {
    area.kept.assign(reinterpret_cast<char*>(area.begin), reinterpret_cast<char*>(area.end));
    area.written.resize((area.end - area.begin) / kUnit);
    area.used.resize((area.end - area.begin) / kUnit);
  }
  void* const got = mmap(reinterpret_cast<void*>(kArena), kArenaBytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != reinterpret_cast<void*>(kArena)) fatal("the place of the controlled threads' memory is taken");
}

uintptr_t without_load_address(uintptr_t address) {
  return address - program->loaded_at < program->bytes ? address - program->loaded_at : address;
}

void will_read(uintptr_t address) {
  for (Area& area : program->areas)
    if (address >= area.begin && address < area.end && !area.used[(address - area.begin) / kUnit]) use_variable(area, address);
}

void will_write(uintptr_t address, size_t bytes) {
  will_read(address);
  for (Area& area : program->areas) {
    if (address >= area.end || address + bytes <= area.begin) continue;
    const size_t first = (std::max(address, area.begin) - area.begin) / kUnit;
    const size_t last = (std::min(address + bytes, area.end) - area.begin - 1) / kUnit;
    for (size_t unit = first; unit <= last; ++unit)
      if (!area.written[unit]) {
        area.written[unit] = true;
        program->written.emplace_back(&area, unit);
      }
  }
}

void renew_program() {
  for (const auto& [area, unit] : program->written) {
    std::memcpy(reinterpret_cast<void*>(area->begin + unit * kUnit), area->kept.data() + unit * kUnit, kUnit);
    area->written[unit] = false;
  }
  program->written.clear();
  for (const Whole& it : program->whole)
    if (std::memcmp(it.at, it.kept, it.bytes) != 0) std::memcpy(it.at, it.kept, it.bytes);
  const size_t used = program->arena_next - kArena;
  constexpr size_t kWorthACall = size_t{1} << 20;
  if (used > kWorthACall)
    madvise(reinterpret_cast<void*>(kArena), used, MADV_DONTNEED);
  else
    std::memset(reinterpret_cast<void*>(kArena), 0, used);
  program->arena_next = kArena;
}

void* arena_allocate(size_t bytes, size_t alignment) {
  alignment = std::max(alignment, size_t{16});
  if (bytes > kArenaBytes || alignment > kArenaBytes) return nullptr;
  const uintptr_t object = (program->arena_next + sizeof(Header) + alignment - 1) / alignment * alignment;
  // One byte more than asked for: the end of an object is not the beginning of the next.
  const uintptr_t end = object + bytes + 1;
  if (end > kArena + kArenaBytes) return nullptr;
  *(reinterpret_cast<Header*>(object) - 1) = {kInUse, bytes};
  program->arena_next = end;
  return reinterpret_cast<void*>(object);
}

bool in_arena(const void* object) { return reinterpret_cast<uintptr_t>(object) - kArena < kArenaBytes; }

size_t arena_size(const void* object) {
  if (!in_arena(object) || reinterpret_cast<uintptr_t>(object) < kArena + sizeof(Header)) return 0;
  const Header& header = *(static_cast<const Header*>(object) - 1);
  return header.state == kInUse ? std::max(header.bytes, size_t{1}) : 0;
}

void arena_free(const void* object) {
  const Header& header = *(static_cast<const Header*>(object) - 1);
  const_cast<Header&>(header).state = kFreed;
}

}  // namespace engine
