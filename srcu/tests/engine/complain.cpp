// In the place of platform/complain.cpp, whose words go to stderr by a system call: here they are what is found. Not under control.
#include "srcu/platform/complain.hpp"

#include <cstdarg>
#include <cstdio>

#include "harness/engine/test.hpp"

namespace srcu {
namespace {

void fail(const char* format, va_list arguments) {
  static char words[512];
  std::vsnprintf(words, sizeof words, format, arguments);
  engine::check(false, words);
}

}  // namespace

void complain(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail(format, arguments);
  va_end(arguments);
}

void die(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail(format, arguments);
  __builtin_unreachable();  // the execution is over
}

}  // namespace srcu
