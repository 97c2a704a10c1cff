#include "torture/kernel/nmi.hpp"

#include <pthread.h>
#include <signal.h>

#include <mutex>

#include "harness/base/errors.hpp"
#include "srcu/platform/irq.hpp"

namespace torture::kernel {
namespace {

struct Wanted {
  NmiBody body;
  void* argument;
};
thread_local Wanted wanted{};

void on_signal(int) {
  const Wanted now = wanted;
  srcu::nmi_enter();
  now.body(now.argument);
  srcu::nmi_exit();
}

int nmi_signal() { return SIGRTMIN + 3; }

void install() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  if (sigaction(nmi_signal(), &action, nullptr) != 0) throw harness::Broken("no signal can stand for the NMI");
}

}  // namespace

void raise_nmi(NmiBody body, void* argument) {
  static std::once_flag once;
  std::call_once(once, install);
  wanted = {body, argument};
  pthread_kill(pthread_self(), nmi_signal());  // delivered before it returns: the signal is not blocked
}

}  // namespace torture::kernel
