// What a compiler emits for plain accesses with -fsanitize=thread, before each.
#include "harness/engine/abi_table.hpp"
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
  will_give(*in, const_cast<void*>(address), size, pc);
}

void will_give(Run& run, void* address, size_t size, uintptr_t pc) {
  will_write(reinterpret_cast<uintptr_t>(address), size);
  run.memory().write(run.self(), address, size, pc);
}

namespace {

void plain(volatile void* address, size_t size, bool writes, uintptr_t pc) {
  writes ? plain_write(address, size, pc) : plain_read(address, size, pc);
}

}  // namespace
}  // namespace engine

#define ENGINE_PLAIN(name, size, writes) \
  void __tsan_##name(void* address) { engine::plain(address, size, writes, ENGINE_CALLER); }

#define ENGINE_READ_WRITE(name, size)                  \
  void __tsan_##name(void* address) {                  \
    engine::plain_read(address, size, ENGINE_CALLER);  \
    engine::plain_write(address, size, ENGINE_CALLER); \
  }

#define ENGINE_RANGE(name, writes) \
  void __tsan_##name(void* address, size_t size) { engine::plain(address, size, writes, ENGINE_CALLER); }

extern "C" {
ENGINE_ABI_PLAIN(ENGINE_PLAIN)
ENGINE_ABI_VOLATILE(ENGINE_PLAIN)
ENGINE_ABI_READ_WRITES(ENGINE_READ_WRITE)
ENGINE_ABI_RANGES(ENGINE_RANGE)

void __tsan_vptr_read(void** address) { engine::plain_read(address, sizeof *address, ENGINE_CALLER); }

void __tsan_vptr_update(void** address, void* value) {
  // A destructor that sets the pointer which is there already writes nothing that matters.
  if (*address != value) engine::plain_write(address, sizeof *address, ENGINE_CALLER);
}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
}
