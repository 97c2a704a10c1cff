// What a compiler emits for plain accesses with -fsanitize=thread, before each.
#include "harness/engine/plain.hpp"
#include "harness/engine/renew.hpp"
#include "harness/engine/run.hpp"

namespace engine {

void plain_read(const volatile void* address, size_t size, uintptr_t pc) {
  Inside in;
  if (!in || size == 0) return;
  in->point({Kind::kRead, Order::kRelaxed, static_cast<uint32_t>(size), reinterpret_cast<uintptr_t>(address), pc});
  will_read(reinterpret_cast<uintptr_t>(address));
  in->memory().read(in->self(), const_cast<const void*>(address), size, pc);
}

void plain_write(volatile void* address, size_t size, uintptr_t pc) {
  Inside in;
  if (!in || size == 0) return;
  in->point({Kind::kWrite, Order::kRelaxed, static_cast<uint32_t>(size), reinterpret_cast<uintptr_t>(address), pc});
  will_write(reinterpret_cast<uintptr_t>(address), size);
  in->memory().write(in->self(), const_cast<void*>(address), size, pc);
}

}  // namespace engine

#define ENGINE_PLAIN(prefix, size)                                                                \
  void __tsan_##prefix##read##size(void* address) { engine::plain_read(address, size, ENGINE_CALLER); } \
  void __tsan_##prefix##write##size(void* address) { engine::plain_write(address, size, ENGINE_CALLER); }

#define ENGINE_READ_WRITE(prefix, size)                   \
  void __tsan_##prefix##read_write##size(void* address) { \
    engine::plain_read(address, size, ENGINE_CALLER);           \
    engine::plain_write(address, size, ENGINE_CALLER);          \
  }

#define ENGINE_SIZES(WHAT, prefix) WHAT(prefix, 1) WHAT(prefix, 2) WHAT(prefix, 4) WHAT(prefix, 8) WHAT(prefix, 16)

extern "C" {
ENGINE_SIZES(ENGINE_PLAIN, )
ENGINE_SIZES(ENGINE_PLAIN, unaligned_)
ENGINE_SIZES(ENGINE_PLAIN, volatile_)
ENGINE_SIZES(ENGINE_PLAIN, unaligned_volatile_)
ENGINE_SIZES(ENGINE_READ_WRITE, )
ENGINE_SIZES(ENGINE_READ_WRITE, unaligned_)

void __tsan_read_range(void* address, size_t size) { engine::plain_read(address, size, ENGINE_CALLER); }
void __tsan_write_range(void* address, size_t size) { engine::plain_write(address, size, ENGINE_CALLER); }
void __tsan_vptr_read(void** address) { engine::plain_read(address, sizeof *address, ENGINE_CALLER); }

void __tsan_vptr_update(void** address, void* value) {
  // A destructor that sets the pointer which is there already writes nothing that matters.
  if (*address != value) engine::plain_write(address, sizeof *address, ENGINE_CALLER);
}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
}
