#include "harness/supervise/crash_hold.hpp"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

ProgressBoard* crash_board = nullptr;  // written once, before there are threads

void usual_course(int signo) {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  sigaction(signo, &usual, nullptr);
  raise(signo);  // delivered when this handler returns
}

void on_crash(int signo) {
  crash_board->ask_help();
  for (int i = 0; i < 6000 && !crash_board->help_given(); ++i) {
    const timespec tick{0, 10'000'000};
    nanosleep(&tick, nullptr);
  }
  usual_course(signo);
}

}  // namespace

void hold_on_crash(ProgressBoard& board) {
  crash_board = &board;
  struct sigaction action {};
  action.sa_handler = on_crash;
  sigfillset(&action.sa_mask);
  action.sa_flags = SA_ONSTACK;
  for (const int signo : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    if (sigaction(signo, &action, nullptr) != 0) throw Broken("the kernel refuses a handler for crashes");
  }
}

}  // namespace harness
