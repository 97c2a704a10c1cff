// The kernel model as SRCU's host.
#pragma once

#include "srcu/host/host.hpp"
#include "srcu/srcu.h"

namespace torture::kernel {

extern const srcu::Host kernel_host;

/// From now on the domain's update side runs on the model. Before its first use.
void put_on_kernel(srcu_struct* ssp);

}  // namespace torture::kernel
