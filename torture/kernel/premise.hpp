// What nolock:irqs_off rests on: every lock that call_srcu() can reach is only ever held with interrupts off, so that who finds
// interrupts on holds none of them.
#pragma once

#include <string>

namespace torture::kernel {

struct Premise {
  bool holds = true;
  std::string words;  ///< The premise, and what was seen of each lock; many lines.
};

/// By what the prover has seen of these locks so far, in this process.
Premise premise_of_irqs_off();

}  // namespace torture::kernel
