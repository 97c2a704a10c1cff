#include "harness/threads/stepper.hpp"

#include <signal.h>
#include <ucontext.h>

#include <cerrno>

#include "harness/base/errors.hpp"

namespace harness {

#ifdef __x86_64__

namespace {

constexpr greg_t kTrapFlag = 0x100;

/// What the handler is to do, and what it did.
struct Job {
  Stepper::Function on_top;
  void* argument;
  std::atomic<uintptr_t>* place;
  uint64_t countdown;
  Stepper::Result result;
};
// relaxed, all: this thread's, and its handler's
thread_local constinit std::atomic<Job*> job{nullptr};

void on_trap(int, siginfo_t*, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  Job* const mine = job.load(std::memory_order_relaxed);
  if (!mine || mine->countdown == 0) return;
  ++mine->result.instructions;
  if (--mine->countdown != 0) return;
  registers[REG_EFL] &= ~kTrapFlag;
  mine->result.at = static_cast<uintptr_t>(registers[REG_RIP]);
  if (mine->place)
    mine->place->store(mine->result.at, std::memory_order_relaxed);  // relaxed: nothing goes with it
  const int kept = errno;
  mine->on_top(mine->argument);
  errno = kept;
}

void catch_traps() {
  struct sigaction action {};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(SIGTRAP, &action, nullptr) != 0) throw Broken("cannot catch SIGTRAP");
}

// The call is between the two changes of the flag, so that little else is counted. The compiler may keep data
// below the stack pointer, where pushing would overwrite them.
[[gnu::noinline]] void call_stepped(Stepper::Function path, void* argument) {
  asm volatile(
      "lea -128(%%rsp), %%rsp\n\t"
      "mov %%rsp, %%rbx\n\t"
      "and $-16, %%rsp\n\t"
      "pushf\n\t"
      "orq $0x100, (%%rsp)\n\t"
      "popf\n\t"
      "call *%[path]\n\t"  // the first trap comes after this instruction
      "pushf\n\t"
      "andq $~0x100, (%%rsp)\n\t"
      "popf\n\t"
      "mov %%rbx, %%rsp\n\t"
      "lea 128(%%rsp), %%rsp"
      : "+D"(argument), [path] "+a"(path)
      :
      : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3",
        "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

}  // namespace

std::string Stepper::why_not() { return {}; }

Stepper::Result Stepper::run(Function path, void* path_argument, uint64_t at, Function on_top,
                             void* on_top_argument, std::atomic<uintptr_t>* place) {
  static const bool caught = (catch_traps(), true);
  static_cast<void>(caught);
  Job mine{on_top, on_top_argument, place, at + 1, {}};
  job.store(&mine, std::memory_order_relaxed);
  // A handler finds the job whole, and we what it left there.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  call_stepped(path, path_argument);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  job.store(nullptr, std::memory_order_relaxed);
  return mine.result;
}

#else

std::string Stepper::why_not() { return "single-stepping is made for x86-64 only"; }

Stepper::Result Stepper::run(Function, void*, uint64_t, Function, void*, std::atomic<uintptr_t>*) {
  throw Broken(why_not());
}

#endif

}  // namespace harness
