// Words for whoever watches.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <string>
#include <utility>

namespace harness {

/// As fmt::print(), but what cannot be written is lost without a word: terminals close, pipes lose their reader, disks fill
/// up, and a run of eight hours must not end because of what nobody reads.
template <class... T>
void say(std::FILE* to, fmt::format_string<T...> words, T&&... values) {
  const std::string text = fmt::format(words, std::forward<T>(values)...);
  [[maybe_unused]] const size_t written = std::fwrite(text.data(), 1, text.size(), to);
}

/// From now on a write without a reader, or beyond the limit on file sizes, is an error like any other, in children too.
/// The signals would end the process; the tortured one would seem to have crashed by the scheme's fault.
inline void writes_fail_without_a_signal() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

/// Where one of the first three descriptors is closed, the next file opened would get its number, and with it the words
/// that are meant for a terminal.
inline void open_standard_files() {
  for (int fd = 0; fd < 3; ++fd)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
}

}  // namespace harness
