// liburcu's bp flavour.
#include <urcu/urcu-bp.h>

#define URCU(name) urcu_bp_##name
#define URCU_TABLE urcu_bp
#define URCU_NAME "urcu-bp"
#define URCU_SIGNAL_FACT SRCUTORTURE_READER_IN_SIGNAL
#include "torture/flavors/urcu_body.hpp"
