#include "harness/engine/crash.hpp"

#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>

#include <cstdlib>

#include "harness/engine/fatal.hpp"
#include "harness/engine/refuse.hpp"

namespace engine {
namespace {

Run* watched;
volatile uintptr_t used_from;  ///< Not 0 while the engine looks whether there is memory.
unsigned silent, most_silent = kMostSilent;
uint64_t steps_before;

uintptr_t where(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<uintptr_t>(machine.gregs[REG_RIP]) + 1;  // places are told as return addresses
#else
  return machine.pc + 1;
#endif
}

const char* name_of_signal(int number) {
  switch (number) {
    case SIGSEGV: return "SIGSEGV: no memory there";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    default: return "SIGFPE: a division by zero, or its like";
  }
}

void crashed(int number, siginfo_t*, void* context) {
  const uintptr_t from = used_from;
  used_from = 0;
  if (!engaged && from == 0) {  // the engine's own fault, or the runner's
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  engaged = nullptr;
  watched->fail(Outcome::Kind::kCrash, name_of_signal(number), from != 0 ? from : where(context));
}

/// Not asked is whether code under test is on just now: it may call the engine for ever without a step, too. Then where is not told: the
/// engine, which finds it out, may be in the midst of anything.
void tick(int, siginfo_t*, void* context) {
  const uint64_t steps = watched->steps_ever();
  silent = steps == steps_before ? silent + 1 : 0;
  steps_before = steps;
  if (silent != most_silent) return;
  constexpr const char* kWhy = "the code under test goes on for ever without an access or a call that the engine sees";
  if (!engaged) fatal(kWhy);
  engaged = nullptr;
  refuse(*watched, kWhy, "", where(context));
}

}  // namespace

void allow_silence(unsigned seconds) { most_silent = seconds; }

void watch_for_crashes(Run& run) {
  watched = &run;
  stack_t stack{};
  stack.ss_size = 1 << 18;
  stack.ss_sp = std::malloc(stack.ss_size);
  if (sigaltstack(&stack, nullptr) != 0) fatal("no stack for signals can be had");
  struct sigaction action {};
  action.sa_sigaction = crashed;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE}) sigaction(number, &action, nullptr);
  struct sigaction ticking {};
  ticking.sa_sigaction = tick;
  ticking.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(SIGVTALRM, &ticking, nullptr);
  const itimerval every_second{{1, 0}, {1, 0}};
  setitimer(ITIMER_VIRTUAL, &every_second, nullptr);
}

void must_be_readable(const volatile void* address, size_t bytes, uintptr_t pc) {
  const auto* const first = static_cast<const volatile char*>(address);
  used_from = pc;
  (void)first[0];
  (void)first[bytes - 1];  // what is used at once lies on two pages at most
  used_from = 0;
}

void must_be_writable(volatile void* address, size_t bytes, uintptr_t pc) {
  auto* const first = static_cast<volatile char*>(address);
  used_from = pc;
  first[0] = first[0];
  first[bytes - 1] = first[bytes - 1];
  used_from = 0;
}

void end_watch() {
  const itimerval never{};
  setitimer(ITIMER_VIRTUAL, &never, nullptr);
}

}  // namespace engine
