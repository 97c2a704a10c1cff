#include "harness/supervise/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/unique_fd.hpp"

namespace harness {
namespace {

struct Pipe {
  UniqueFd read_end, write_end;
};

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw Broken(
        fmt::format("no pipe for a helper program: {}: raise the limit on open files", std::strerror(errno)));
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// After fork: only system calls, since other threads of the parent may have held any lock.
[[noreturn]] void become(char* const* argv, int output, int trouble) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execvp(argv[0], argv);
  const int error = errno;
  if (write(trouble, &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

int milliseconds_until(uint64_t deadline_ns) {
  const uint64_t now = now_ns();
  if (now >= deadline_ns) return 0;
  return static_cast<int>(std::min<uint64_t>((deadline_ns - now) / 1'000'000 + 1, 1'000'000));
}

/// Reads until the end of file, the limit or the deadline.
void listen(int from, uint64_t deadline_ns, size_t bytes, Said& said) {
  std::array<char, 16384> buffer;
  for (;;) {
    pollfd ready{from, POLLIN, 0};
    const int left_ms = milliseconds_until(deadline_ns);
    if (poll(&ready, 1, left_ms) == 0 && milliseconds_until(deadline_ns) == 0) {
      said.timed_out = true;
      return;
    }
    if (ready.revents == 0) continue;
    const ssize_t got = read(from, buffer.data(), buffer.size());
    if (got <= 0) return;
    said.output.append(buffer.data(), static_cast<size_t>(got));
    if (said.output.size() > bytes) {
      said.output.resize(bytes);
      said.cut = true;
      return;
    }
  }
}

/// It has closed its output, or is about to be killed; whoever closes its output and stays is killed at the
/// deadline.
void reap(pid_t pid, uint64_t deadline_ns, Said& said) {
  int status = 0;
  while (!said.timed_out && !said.cut && waitpid(pid, &status, WNOHANG) == 0) {
    said.timed_out = milliseconds_until(deadline_ns) == 0;
    sleep_ns(1'000'000);
  }
  if (said.timed_out || said.cut) {
    // Itself too: it may not have reached setsid() yet.
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (WIFEXITED(status)) said.exit_code = WEXITSTATUS(status);
}

}  // namespace

Said run_bounded(const std::vector<std::string>& argv, double seconds, size_t bytes) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  Pipe output = make_pipe(), trouble = make_pipe();
  const uint64_t deadline = now_ns() + static_cast<uint64_t>(seconds * 1e9);
  const pid_t pid = fork();
  if (pid < 0)
    throw Broken(
        fmt::format("cannot start {}: {}: raise the limit on processes", argv[0], std::strerror(errno)));
  if (pid == 0) become(words.data(), output.write_end.get(), trouble.write_end.get());
  output.write_end.reset();
  trouble.write_end.reset();
  Said said;
  int error = 0;
  // Ends at once: a successful exec closes the other end.
  said.started = read(trouble.read_end.get(), &error, sizeof error) != sizeof error;
  if (!said.started) said.trouble = error == ENOENT ? "not installed" : std::strerror(error);
  listen(output.read_end.get(), deadline, bytes, said);
  reap(pid, deadline, said);
  return said;
}

}  // namespace harness
