#include "harness/threads/cross_call.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/errors.hpp"

namespace harness {

CrossCall::CrossCall(Function function, void* argument) : function_(function), argument_(argument) {
  struct sigaction before {};
  sigaction(signo(), nullptr, &before);
  if ((before.sa_flags & SA_SIGINFO) && before.sa_sigaction == &CrossCall::on_signal) return;
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
    throw Broken(fmt::format("signal {} has a handler already: leave it to the torture", signo()));
  struct sigaction ours {};
  ours.sa_sigaction = &CrossCall::on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  if (sigaction(signo(), &ours, nullptr) != 0)
    throw Broken(fmt::format("cannot handle signal {}: {}: allow rt_sigaction in this sandbox", signo(),
                             std::strerror(errno)));
}

bool CrossCall::send(pid_t tid) {
  if (owed() && sent_to_ == tid) return false;
  sent_to_ = tid;
  // relaxed: the signal itself orders it before the handler.
  owed_.store(true, std::memory_order_relaxed);
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = this;
  // By number: glibc has no wrapper.
  if (syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, signo(), &info) == 0) return true;
  // relaxed: nobody else knows of it.
  owed_.store(false, std::memory_order_relaxed);
  return false;
}

void CrossCall::on_signal(int, siginfo_t* info, void*) {
  // Whoever else sends this signal brings no call of ours.
  if (info->si_code != SI_QUEUE || info->si_pid != getpid()) return;
  const int interrupted_errno = errno;
  auto* call = static_cast<CrossCall*>(info->si_value.sival_ptr);
  call->function_(call->argument_);
  // Pairs with the acquire in owed().
  call->owed_.store(false, std::memory_order_release);
  errno = interrupted_errno;
}

}  // namespace harness
