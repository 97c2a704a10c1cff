#include "torture/flavors/plugin_trial.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace torture {
namespace {

constexpr unsigned kLongestS = 30;
constexpr int kLoads = 97;  // unlike the status of a constructor that ends the process

long threads_here() {
  std::error_code error;
  const std::filesystem::directory_iterator threads("/proc/self/task", error);
  return std::distance(begin(threads), end(threads));
}

// Of one that was compiled with calls for accesses.
const char* cure(std::string_view error) {
  if (error.find("libtsan") != error.npos) return ": link it without -fsanitize=thread, and run it with --chaos";
  if (error.find("__tsan_") != error.npos) return ": it is compiled for --chaos, so run it with that";
  return "";
}

std::string loaded(const std::filesystem::path& file) {
  const long before = threads_here();
  if (!dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    const std::string error = dlerror();
    return fmt::format("does not load: {}{}", error, cure(error));
  }
  if (threads_here() > before) return "starts a thread when it is loaded: start it in create()";
  return {};
}

// Nothing of what it does shows, but for what it says through the pipe.
[[noreturn]] void try_it(const std::filesystem::path& file, int answer) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  for (const int signo : {SIGALRM, SIGABRT, SIGBUS, SIGSEGV, SIGINT, SIGTERM, SIGHUP}) signal(signo, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (const int nowhere = open("/dev/null", O_RDWR); nowhere >= 0)
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, fd);
  alarm(kLongestS);
  const std::string why = loaded(file);
  const ssize_t told = write(answer, why.data(), std::min<size_t>(why.size(), 4096));
  _exit(why.empty() ? kLoads : told < 0 ? 2 : 1);
}

std::string ended_by(int signo) {
  if (signo == SIGALRM)
    return fmt::format("does not come to an end of loading in {} s: what waits for long belongs into create()", kLongestS);
  const char* name = sigabbrev_np(signo);
  const std::string signal = name ? fmt::format("SIG{}", name) : fmt::format("signal {}", signo);
  if (signo == SIGBUS) return fmt::format("ends a process that loads it by {}: the file is cut short, build it again", signal);
  return fmt::format("ends a process that loads it by {}: see to its constructors, or build it again", signal);
}

}  // namespace

std::string trouble_loading(const std::filesystem::path& file) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fmt::format("cannot be tried: {}", std::strerror(errno));
  const pid_t pid = fork();
  if (pid == 0) try_it(file, ends[1]);
  const std::string refused = pid < 0 ? fmt::format("cannot be tried: {}", std::strerror(errno)) : "";
  close(ends[1]);
  int status = 0;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  std::string why(4096, '\0');
  // Whatever the file left running may keep its end of the pipe.
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const ssize_t size = pid > 0 ? read(ends[0], why.data(), why.size()) : 0;
  why.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  close(ends[0]);
  if (!refused.empty()) return refused;
  if (WIFSIGNALED(status)) return ended_by(WTERMSIG(status));
  if (WEXITSTATUS(status) == kLoads) return {};
  return why.empty() ? "ends a process that loads it: see to its constructors" : why;
}

}  // namespace torture
