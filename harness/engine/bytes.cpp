// libc's functions on bytes and strings. No compiler makes calls of the accesses in them, so they are told here, before they are made.
#include <dlfcn.h>

#include <cstddef>
#include <cstdint>

#include "harness/engine/plain.hpp"
#include "harness/engine/renew.hpp"
#include "harness/engine/run.hpp"

extern "C" char __executable_start, _end;

namespace engine {
namespace {

/// libc's, found before main(), or at the first call: others may come before any of the program's own initialisations.
template <class Function>
class Libc {
 public:
  constexpr explicit Libc(const char* name) : name_(name) {}
  template <class... Arguments>
  auto operator()(Arguments... arguments) {
    if (!function_) find();
    return function_(arguments...);
  }
  void find() { function_ = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_)); }

 private:
  const char* const name_;
  Function* function_ = nullptr;
};

using Copy = void*(void*, const void*, size_t);
constinit Libc<Copy> libc_memcpy("memcpy"), libc_memmove("memmove");
constinit Libc<void*(void*, int, size_t)> libc_memset("memset");
constinit Libc<int(const void*, const void*, size_t)> libc_memcmp("memcmp");
constinit Libc<void*(const void*, int, size_t)> libc_memchr("memchr");
constinit Libc<size_t(const char*, size_t)> libc_strnlen("strnlen");
constinit Libc<size_t(const char*)> libc_strlen("strlen");
constinit Libc<int(const char*, const char*)> libc_strcmp("strcmp");
constinit Libc<int(const char*, const char*, size_t)> libc_strncmp("strncmp");
constinit Libc<char*(const char*, int)> libc_strchr("strchr"), libc_strrchr("strrchr");
constinit Libc<char*(char*, const char*)> libc_strcpy("strcpy"), libc_stpcpy("stpcpy"), libc_strcat("strcat");
constinit Libc<char*(char*, const char*, size_t)> libc_strncpy("strncpy");

/// No controlled thread does it, on whose stack it would leave something the first time.
[[gnu::constructor]] void find_all() {
  const auto find = [](auto&... all) { (all.find(), ...); };
  find(libc_memcpy, libc_memmove, libc_memset, libc_memcmp, libc_memchr, libc_strnlen, libc_strlen, libc_strcmp, libc_strncmp, libc_strchr,
       libc_strrchr, libc_strcpy, libc_stpcpy, libc_strcat, libc_strncpy);
}

constexpr size_t kToItsEnd = PTRDIFF_MAX;

void* copy(Libc<Copy>& libc, void* to, const void* from, size_t bytes, uintptr_t pc) {
  if (engaged) {
    plain_read(from, bytes, pc);
    plain_write(to, bytes, pc);
  }
  return libc(to, from, bytes);
}

void* fill(void* to, int byte, size_t bytes, uintptr_t pc) {
  if (engaged) plain_write(to, bytes, pc);
  return libc_memset(to, byte, bytes);
}

/// Libraries do with strings what nobody sees; and what is neither the program's own nor allocated by it is the engine's, or on one thread's
/// stack.
bool told(const void* bytes, uintptr_t pc) {
  if (!engaged || !instrumented(pc)) return false;
  const auto at = static_cast<const char*>(bytes);
  return in_arena(bytes) || (at >= &__executable_start && at < &_end);
}

void read_bytes(const void* bytes, size_t size, uintptr_t pc) {
  if (told(bytes, pc)) plain_read(bytes, size, pc);
}

void write_bytes(void* bytes, size_t size, uintptr_t pc) {
  if (told(bytes, pc)) plain_write(bytes, size, pc);
}

/// Its end is left out: a library may have put it there, of which the checks know nothing.
void read_string(const char* string, uintptr_t pc, size_t most = kToItsEnd) {
  if (told(string, pc)) plain_read(string, libc_strnlen(string, most), pc);
}

/// Without ends, as in read_string().
void read_until_they_differ(const char* one, const char* other, size_t most, uintptr_t pc) {
  if (!told(one, pc) && !told(other, pc)) return;
  size_t bytes = 0;
  while (bytes < most && one[bytes] != 0 && other[bytes] != 0 && one[bytes] == other[bytes]) ++bytes;
  if (bytes < most && one[bytes] != 0 && other[bytes] != 0) ++bytes;
  read_bytes(one, bytes, pc);
  read_bytes(other, bytes, pc);
}

void copy_string(char* to, const char* from, uintptr_t pc) {
  read_string(from, pc);
  write_bytes(to, libc_strlen(from) + 1, pc);
}

}  // namespace
}  // namespace engine

// The declarations of libc say more than these definitions need, so they are made under other names.
#define ENGINE_BYTES(result, name, ...)                           \
  extern "C" result engine_##name(__VA_ARGS__) __asm__(#name);    \
  extern "C" result engine_##name(__VA_ARGS__)

ENGINE_BYTES(void*, memcpy, void* to, const void* from, size_t bytes) {
  return engine::copy(engine::libc_memcpy, to, from, bytes, ENGINE_CALLER);
}
ENGINE_BYTES(void*, memmove, void* to, const void* from, size_t bytes) {
  return engine::copy(engine::libc_memmove, to, from, bytes, ENGINE_CALLER);
}
ENGINE_BYTES(void*, memset, void* to, int byte, size_t bytes) { return engine::fill(to, byte, bytes, ENGINE_CALLER); }

// What clang makes of these, and of copies of its own, in code under test.
ENGINE_BYTES(void*, __tsan_memcpy, void* to, const void* from, size_t bytes) {
  return engine::copy(engine::libc_memcpy, to, from, bytes, ENGINE_CALLER);
}
ENGINE_BYTES(void*, __tsan_memmove, void* to, const void* from, size_t bytes) {
  return engine::copy(engine::libc_memmove, to, from, bytes, ENGINE_CALLER);
}
ENGINE_BYTES(void*, __tsan_memset, void* to, int byte, size_t bytes) { return engine::fill(to, byte, bytes, ENGINE_CALLER); }

ENGINE_BYTES(int, memcmp, const void* one, const void* other, size_t bytes) {
  engine::read_bytes(one, bytes, ENGINE_CALLER);
  engine::read_bytes(other, bytes, ENGINE_CALLER);
  return engine::libc_memcmp(one, other, bytes);
}
/// What clang makes of a memcmp() that is only compared with 0.
ENGINE_BYTES(int, bcmp, const void* one, const void* other, size_t bytes) {
  engine::read_bytes(one, bytes, ENGINE_CALLER);
  engine::read_bytes(other, bytes, ENGINE_CALLER);
  return engine::libc_memcmp(one, other, bytes);
}
ENGINE_BYTES(void*, memchr, const void* bytes, int byte, size_t most) {
  const void* const at = engine::libc_memchr(bytes, byte, most);
  engine::read_bytes(bytes, at ? static_cast<size_t>(static_cast<const char*>(at) - static_cast<const char*>(bytes)) + 1 : most, ENGINE_CALLER);
  return engine::libc_memchr(bytes, byte, most);
}

ENGINE_BYTES(size_t, strlen, const char* string) {
  engine::read_string(string, ENGINE_CALLER);
  return engine::libc_strlen(string);
}
ENGINE_BYTES(size_t, strnlen, const char* string, size_t most) {
  engine::read_string(string, ENGINE_CALLER, most);
  return engine::libc_strnlen(string, most);
}
ENGINE_BYTES(int, strcmp, const char* one, const char* other) {
  engine::read_until_they_differ(one, other, engine::kToItsEnd, ENGINE_CALLER);
  return engine::libc_strcmp(one, other);
}
ENGINE_BYTES(int, strncmp, const char* one, const char* other, size_t most) {
  engine::read_until_they_differ(one, other, most, ENGINE_CALLER);
  return engine::libc_strncmp(one, other, most);
}
ENGINE_BYTES(char*, strchr, const char* string, int character) {
  const char* const at = character == 0 ? nullptr : engine::libc_strchr(string, character);
  engine::read_string(string, ENGINE_CALLER, at ? static_cast<size_t>(at - string) + 1 : engine::kToItsEnd);
  return engine::libc_strchr(string, character);
}
ENGINE_BYTES(char*, strrchr, const char* string, int character) {
  engine::read_string(string, ENGINE_CALLER);
  return engine::libc_strrchr(string, character);
}

ENGINE_BYTES(char*, strcpy, char* to, const char* from) {
  engine::copy_string(to, from, ENGINE_CALLER);
  return engine::libc_strcpy(to, from);
}
ENGINE_BYTES(char*, stpcpy, char* to, const char* from) {
  engine::copy_string(to, from, ENGINE_CALLER);
  return engine::libc_stpcpy(to, from);
}
ENGINE_BYTES(char*, strcat, char* to, const char* from) {
  engine::read_string(to, ENGINE_CALLER);
  engine::copy_string(to + engine::libc_strlen(to), from, ENGINE_CALLER);
  return engine::libc_strcat(to, from);
}
ENGINE_BYTES(char*, strncpy, char* to, const char* from, size_t bytes) {
  engine::read_string(from, ENGINE_CALLER, bytes);
  engine::write_bytes(to, bytes, ENGINE_CALLER);
  return engine::libc_strncpy(to, from, bytes);
}
