#include "harness/supervise/crash_hold.hpp"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/stack_mailbox.hpp"

namespace harness {
namespace {

ProgressBoard* crash_board = nullptr;  // these two are written once, before there are threads
uint64_t patience_ns = 0;

void usual_course(int signo) {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  sigaction(signo, &usual, nullptr);
  raise(signo);  // delivered when this handler returns
}

void on_crash(int signo) {
  crash_board->ask_help();
  const uint64_t end = now_ns() + patience_ns;
  while (!crash_board->help_given() && now_ns() < end) sleep_ns(10'000'000);
  usual_course(signo);
}

}  // namespace

void hold_on_crash(ProgressBoard& board, double seconds) {
  crash_board = &board;
  patience_ns = static_cast<uint64_t>(seconds * 1e9);
  struct sigaction action {};
  action.sa_handler = on_crash;
  sigfillset(&action.sa_mask);
  // Without a debugger the thread itself must tell where it crashed.
  sigdelset(&action.sa_mask, StackMailbox::signo());
  action.sa_flags = SA_ONSTACK;
  for (const int signo : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    if (sigaction(signo, &action, nullptr) != 0) throw Broken("the kernel refuses a handler for crashes");
  }
}

}  // namespace harness
