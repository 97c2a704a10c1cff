// The model's NMIs: real signals, which ignore whether interrupts are off.
#pragma once

namespace torture::kernel {

/// What the NMI does. Signal-safe.
using NmiBody = void (*)(void* argument);

/// An NMI hits the calling thread here and now; returns when it is over. Any context but NMI.
void raise_nmi(NmiBody body, void* argument);

}  // namespace torture::kernel
