// malloc and its family: for controlled threads from the arena, and seen by the checks.
#include <dlfcn.h>
#include <link.h>
#include <malloc.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "harness/engine/plain.hpp"
#include "harness/engine/renew.hpp"
#include "harness/engine/run.hpp"

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);
extern char __executable_start, etext;
}

namespace engine {

bool instrumented(uintptr_t pc) {
  return pc - reinterpret_cast<uintptr_t>(&__executable_start) < static_cast<size_t>(&etext - &__executable_start);
}

namespace {

void* allocate(Run& run, size_t bytes, size_t alignment, bool zeroed, uintptr_t pc) {
  run.point({Kind::kAllocate, Order::kRelaxed, 0, 0, pc});
  void* const object = run.fault(kNoMemory) ? nullptr : arena_allocate(bytes, alignment);
  run.did(0, reinterpret_cast<uintptr_t>(object));
  if (object && bytes != 0) run.memory().allocated(run.self(), object, bytes, zeroed || !instrumented(pc), pc);
  if (!object) errno = ENOMEM;
  return object;
}

void release(Run& run, void* object, uintptr_t pc) {
  // What was there before the execution will be wanted again in the next.
  if (!object || !in_arena(object)) return;
  const auto size = [object] { return static_cast<uint32_t>(arena_size(object)); };
  run.point({Kind::kFree, Order::kRelaxed, size(), reinterpret_cast<uintptr_t>(object), pc});
  const uint32_t bytes = size();
  if (bytes == 0) run.fail(Outcome::Kind::kMisuse, "a free of what is not allocated, or not any more", pc);
  run.memory().freed(run.self(), object, bytes, pc);
  arena_free(object);
}

void* get(size_t bytes, size_t alignment, bool zeroed, uintptr_t pc) {
  Inside in;
  if (in) return allocate(*in, bytes, alignment, zeroed, pc);
  if (alignment > alignof(max_align_t)) return __libc_memalign(alignment, bytes);
  return zeroed ? __libc_calloc(1, bytes) : __libc_malloc(bytes);
}

void put(void* object, uintptr_t pc) {
  Inside in;
  if (in)
    release(*in, object, pc);
  else if (!in_arena(object))
    __libc_free(object);
}

void* get_or_throw(size_t bytes, size_t alignment, uintptr_t pc) {
  void* const object = get(bytes, alignment, false, pc);
  if (!object) throw std::bad_alloc();
  return object;
}

}  // namespace
}  // namespace engine

extern "C" {
void* malloc(size_t bytes) noexcept { return engine::get(bytes, 0, false, ENGINE_CALLER); }
void free(void* object) noexcept { engine::put(object, ENGINE_CALLER); }

void* calloc(size_t count, size_t each) noexcept {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, each, &bytes)) return errno = ENOMEM, nullptr;
  return engine::get(bytes, 0, true, ENGINE_CALLER);
}

void* memalign(size_t alignment, size_t bytes) noexcept { return engine::get(bytes, alignment, false, ENGINE_CALLER); }
void* aligned_alloc(size_t alignment, size_t bytes) noexcept { return engine::get(bytes, alignment, false, ENGINE_CALLER); }

int posix_memalign(void** object, size_t alignment, size_t bytes) noexcept {
  void* const found = engine::get(bytes, alignment, false, ENGINE_CALLER);
  if (engine::Inside in; in) engine::will_give(*in, object, sizeof *object, ENGINE_CALLER);
  *object = found;
  return found ? 0 : ENOMEM;
}

void* realloc(void* old, size_t bytes) noexcept {
  if (old && bytes == 0) return engine::put(old, ENGINE_CALLER), nullptr;
  if (!engine::engaged && !engine::in_arena(old)) return __libc_realloc(old, bytes);
  void* const object = engine::get(bytes, 0, true, ENGINE_CALLER);  // the end is not known to be written, nor the contrary
  if (!old || !object) return object;
  const size_t before = engine::in_arena(old) ? engine::arena_size(old) : malloc_usable_size(old);
  memcpy(object, old, before < bytes ? before : bytes);
  engine::put(old, ENGINE_CALLER);
  return object;
}
}

void* operator new(size_t bytes) { return engine::get_or_throw(bytes, 0, ENGINE_CALLER); }
void* operator new[](size_t bytes) { return engine::get_or_throw(bytes, 0, ENGINE_CALLER); }
void* operator new(size_t bytes, std::align_val_t at) { return engine::get_or_throw(bytes, size_t(at), ENGINE_CALLER); }
void* operator new[](size_t bytes, std::align_val_t at) { return engine::get_or_throw(bytes, size_t(at), ENGINE_CALLER); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return engine::get(bytes, 0, false, ENGINE_CALLER); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept { return engine::get(bytes, 0, false, ENGINE_CALLER); }
void operator delete(void* object) noexcept { engine::put(object, ENGINE_CALLER); }
void operator delete[](void* object) noexcept { engine::put(object, ENGINE_CALLER); }
void operator delete(void* object, size_t) noexcept { engine::put(object, ENGINE_CALLER); }
void operator delete[](void* object, size_t) noexcept { engine::put(object, ENGINE_CALLER); }
void operator delete(void* object, std::align_val_t) noexcept { engine::put(object, ENGINE_CALLER); }
void operator delete[](void* object, std::align_val_t) noexcept { engine::put(object, ENGINE_CALLER); }
void operator delete(void* object, size_t, std::align_val_t) noexcept { engine::put(object, ENGINE_CALLER); }
void operator delete[](void* object, size_t, std::align_val_t) noexcept { engine::put(object, ENGINE_CALLER); }
