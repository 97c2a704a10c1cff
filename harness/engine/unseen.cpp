#include "harness/engine/unseen.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>

namespace engine {
namespace {

/// Where the program's dynamic section says that something is; null if it does not.
template <class T>
const T* table(ElfW(Sxword) tag) {
  for (const ElfW(Dyn)* entry = _DYNAMIC; entry->d_tag != DT_NULL; ++entry)
    if (entry->d_tag == tag) return reinterpret_cast<const T*>(entry->d_un.d_ptr);
  return nullptr;
}

std::span<const ElfW(Rela)> relocations(ElfW(Sxword) where, ElfW(Sxword) bytes) {
  const auto* const first = table<ElfW(Rela)>(where);
  return {first, first ? reinterpret_cast<uintptr_t>(table<void>(bytes)) / sizeof *first : 0};
}

bool is_a_compilers(const std::string& library) {
  constexpr const char* kNames[] = {"libc.", "libm.", "libdl.", "libpthread.", "librt.", "libgcc_s.", "libstdc++.", "libatomic.", "libfmt.", "ld-linux", "linux-vdso"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](const char* name) { return library.starts_with(name); });
}

std::string readable(const char* symbol) {
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(symbol, nullptr, nullptr, nullptr), std::free);
  return name ? name.get() : symbol;
}

}  // namespace

std::map<std::string, std::vector<std::string>> unseen_libraries() {
  const auto* const symbols = table<ElfW(Sym)>(DT_SYMTAB);
  const auto* const strings = table<char>(DT_STRTAB);
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& some : {relocations(DT_JMPREL, DT_PLTRELSZ), relocations(DT_RELA, DT_RELASZ)})
    for (const ElfW(Rela)& one : some) {
      const auto at = one.r_info >> 32;  // of 64-bit machines
      if (at == 0 || symbols[at].st_shndx != SHN_UNDEF) continue;
      const char* const symbol = strings + symbols[at].st_name;
      Dl_info in{};
      if (!dladdr(dlsym(RTLD_DEFAULT, symbol), &in) || !in.dli_fname) continue;
      const std::string library = std::filesystem::path(in.dli_fname).filename();
      if (is_a_compilers(library)) continue;
      std::vector<std::string>& names = found[library];
      if (const std::string name = readable(symbol); std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  return found;
}

}  // namespace engine
