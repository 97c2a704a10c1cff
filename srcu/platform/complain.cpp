#include "srcu/platform/complain.hpp"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace srcu {
namespace {

[[gnu::format(printf, 1, 0)]] void say(const char* format, va_list arguments) {
  const int kept = errno;
  char line[512] = "srcu: ";
  constexpr size_t start = 6;
  const int length = vsnprintf(line + start, sizeof line - start - 1, format, arguments);
  size_t end = start + (length < 0 ? 0 : static_cast<size_t>(length));
  if (end > sizeof line - 2) end = sizeof line - 2;
  line[end] = '\n';
  syscall(SYS_write, STDERR_FILENO, line, end + 1);  // not write(), which is a cancellation point
  errno = kept;
}

}  // namespace

void complain(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say(format, arguments);
  va_end(arguments);
}

void die(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say(format, arguments);
  va_end(arguments);
  abort();
}

}  // namespace srcu
