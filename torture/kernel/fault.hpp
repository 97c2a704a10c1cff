// What goes wrong for good in the model.
#pragma once

#include <cstdint>

namespace torture::kernel {

struct Fault {
  const char* check;  ///< The name of a check.
  bool hangs;         ///< It happened, and its threads go no further.
  char headline[200];
  char text[8000];
};

/// Keeps it, if it is the first of its check. Any context, NMI too; what is too long is cut.
void note_fault(const char* check, const char* headline, const char* text, bool hangs);

/// The one that was noted as number `index`, counted from 0. Waits for it, `timeout_ns` at most; null if there is none.
const Fault* wait_for_fault(unsigned index, uint64_t timeout_ns);

/// Wakes whoever waits for a fault, without one.
void stop_waiting_for_faults();

}  // namespace torture::kernel
