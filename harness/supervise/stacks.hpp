#pragma once

#include <sys/types.h>

#include <string>

namespace harness {

class StackMailbox;

/// What take_stacks() may spend and use.
struct StackLimits {
  double gdb_s = 30;        ///< For the debugger; 0: do not try it.
  double answer_s = 2;      ///< For the threads' own answers; 0: do not ask.
  bool wake = false;        ///< A stopped process may go on where its threads must answer for themselves.
  double names_s = 10;      ///< For looking up the function names of those answers.
  std::string gdb = "gdb";  ///< Searched in PATH.
  std::string addr2line =
      "addr2line";  ///< Searched in PATH; without it, function names are those of dynamic symbols.
};

/// Every thread's stack, as text for stacks.txt.
struct Stacks {
  std::string text;  ///< Opens with a line that names the way and why a better one was not had.
  std::string way;  ///< "gdb", "signal" (the threads answered themselves) or "proc" (no stacks, only states).
  std::string why_no_better;  ///< "gdb: ptrace refused (...)"; empty if way is "gdb".
};

/// Takes the stacks of all threads of `pid`, by the best way that works. Never hangs: returns within the
/// limits plus a second or so. The process is stopped now and then, and left running or stopped, as it was
/// found. Never throws for a process that is gone, refuses or does not answer: then the text says so.
/// `mailbox`: the one the process answers, or null.
Stacks take_stacks(pid_t pid, StackMailbox* mailbox, const StackLimits& limits = {});

}  // namespace harness
