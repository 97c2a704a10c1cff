// In the place of kernel/nmi.cpp: a signal that a thread sends to itself is delivered before the call returns, so that a call of
// the handler is the same.
#include "torture/kernel/nmi.hpp"

#include "srcu/platform/irq.hpp"

namespace torture::kernel {

void raise_nmi(NmiBody body, void* argument) {
  srcu::nmi_enter();
  body(argument);
  srcu::nmi_exit();
}

}  // namespace torture::kernel
