// The kernel model as SRCU's host.
#pragma once

#include "srcu/host/host.hpp"
#include "srcu/srcu.h"

namespace torture::kernel {

extern const srcu::Host kernel_host;

/// The queue of bpf_defer() is served on the model from now on. Before its first use.
void put_deferral_on_kernel();

/// From now on the domain's update side runs on the model. Before its first use.
void put_on_kernel(srcu_struct* ssp);

}  // namespace torture::kernel
