#pragma once

#include "harness/supervise/progress_board.hpp"

namespace harness {

/// In the child: on SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT the crashing thread asks for help on `board`
/// and waits, with all other threads going on, until help_given() or `seconds` have passed; then the signal
/// takes its usual course. So the supervisor finds every stack as it was, also when it looks at another child
/// first; the waiting thread answers a StackMailbox, and no other signal. Broken if a handler is refused.
void hold_on_crash(ProgressBoard& board, double seconds = 60);

}  // namespace harness
