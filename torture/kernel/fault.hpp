// What goes wrong for good in the model: the first fault is kept until somebody asks.
#pragma once

#include <cstdint>

namespace torture::kernel {

struct Fault {
  const char* check;  ///< The name of a check.
  char text[8000];
};

/// Keeps it, if it is the first. Any context, NMI too; `text` is cut if it is too long.
void note_fault(const char* check, const char* text);

/// Null as long as there is none. Waits for one, `timeout_ns` at most.
const Fault* wait_for_fault(uint64_t timeout_ns);

/// Wakes the one who waits for a fault, without one.
void stop_waiting_for_faults();

/// Forgets it; for tests.
void forget_fault();

}  // namespace torture::kernel
