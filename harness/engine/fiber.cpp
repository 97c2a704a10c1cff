#include "harness/engine/fiber.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "harness/engine/fatal.hpp"
#include "harness/engine/thread_pointer.hpp"

// engine_switch(save, next): keeps what the ABI lets a callee not change, and the floating point modes, on the stack.
#if defined(__x86_64__)
asm(R"(
  .text
  .p2align 4
  .globl engine_switch
  .hidden engine_switch
  .type engine_switch, @function
engine_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size engine_switch, .-engine_switch
)");
#elif defined(__aarch64__)
asm(R"(
  .text
  .p2align 4
  .globl engine_switch
  .hidden engine_switch
  .type engine_switch, %function
engine_switch:
  sub sp, sp, #176
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mrs x9, fpcr
  str x9, [sp, #160]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldr x9, [sp, #160]
  msr fpcr, x9
  add sp, sp, #176
  ret
  .size engine_switch, .-engine_switch
)");
#else
#error "The controlled engine knows how to switch stacks on x86-64 and aarch64 only"
#endif

extern "C" void engine_switch(uintptr_t* save, uintptr_t next);

namespace engine {
namespace {

constexpr uintptr_t kFirstStack = 0x1800000000;     // where no system puts anything by itself; also with 39-bit addresses
constexpr uintptr_t kStride = uintptr_t{1} << 21;  // stack, and the parked thread's block, each with a guard below
constexpr size_t kGuard = 1 << 16;                 // the largest page size

uintptr_t map_at(uintptr_t address, size_t bytes) {
  void* const got = mmap(reinterpret_cast<void*>(address), bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != reinterpret_cast<void*>(address)) fatal("the place of a controlled thread's stack is taken");
  return address;
}

/// What engine_switch() will find on an empty stack that is to begin with `body`.
uintptr_t first_frame(uintptr_t top, void (*body)()) {
#if defined(__x86_64__)
  auto* at = reinterpret_cast<uintptr_t*>(top);
  *--at = 0;                                   // the end of the stack for those who walk it; also aligns as a call would
  *--at = reinterpret_cast<uintptr_t>(body);
  for (int saved = 0; saved < 6; ++saved) *--at = 0;
  uint32_t sse = 0;
  uint16_t x87 = 0;
  asm("stmxcsr %0" : "=m"(sse));
  asm("fnstcw %0" : "=m"(x87));
  *--at = sse | uintptr_t{x87} << 32;
  return reinterpret_cast<uintptr_t>(at);
#else
  auto* at = reinterpret_cast<uintptr_t*>(top - 176);
  for (int saved = 0; saved < 22; ++saved) at[saved] = 0;
  at[11] = reinterpret_cast<uintptr_t>(body);
  asm("mrs %0, fpcr" : "=r"(at[20]));
  return reinterpret_cast<uintptr_t>(at);
#endif
}

}  // namespace

void Fiber::place(unsigned index) {
  const uintptr_t base = kFirstStack + index * kStride;
  stack_top_ = lowest_ = map_at(base + kGuard, kStackBytes) + kStackBytes;
  thread_pointer_ = parked_thread(reinterpret_cast<void*>(map_at(stack_top_ + kGuard, kStackBytes)), kStackBytes);
}

void Fiber::restart(void (*body)()) {
  constexpr uintptr_t kBelow = 4096;  // what libraries use of the stack below the last step that the engine saw
  const uintptr_t from = std::max(lowest_ - kBelow, stack_top_ - kStackBytes);
  std::memset(reinterpret_cast<void*>(from), 0, stack_top_ - from);
  lowest_ = stack_top_;
  stack_pointer_ = first_frame(stack_top_, body);
  renew_thread_locals(thread_pointer_);
}

void Fiber::run(Fiber& from, Fiber& to) {
  if (!from.placed()) from.thread_pointer_ = thread_pointer();
  // Nothing between these two lines may use thread-local memory. Stack protectors do: all threads have the same canary.
  set_thread_pointer(to.thread_pointer_);
  engine_switch(&from.stack_pointer_, to.stack_pointer_);
}

}  // namespace engine
