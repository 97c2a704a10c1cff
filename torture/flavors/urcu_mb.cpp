// liburcu's mb flavour.
#include <urcu/urcu-mb.h>

#define URCU(name) urcu_mb_##name
#define URCU_TABLE urcu_mb
#define URCU_NAME "urcu-mb"
#define URCU_SIGNAL_FACT SRCUTORTURE_READER_IN_SIGNAL
#include "torture/flavors/urcu_body.hpp"
