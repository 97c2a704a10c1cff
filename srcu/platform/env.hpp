// Every call of this library that blocks, sleeps, maps memory, starts a thread, or asks for the clock or for threads goes through
// srcu::env. A build may put another header in this one's place (SRCU_ENV_HEADER, a quoted name); it then offers
// the functions that env_native.hpp documents.
#pragma once

#ifdef SRCU_ENV_HEADER
#include SRCU_ENV_HEADER
#else
#include "srcu/platform/env_native.hpp"
#endif
