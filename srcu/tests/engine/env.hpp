// For SRCU_ENV_HEADER: the engine's system under the names that the library uses.
#pragma once

#include "harness/engine/env.hpp"

namespace srcu::env {
using namespace engine::env;
}
