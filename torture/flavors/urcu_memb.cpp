// liburcu's memb flavour.
#include <urcu/urcu-memb.h>

#define URCU(name) urcu_memb_##name
#define URCU_TABLE urcu_memb
#define URCU_NAME "urcu-memb"
#define URCU_SIGNAL_FACT SRCUTORTURE_READER_IN_SIGNAL
#include "torture/flavors/urcu_body.hpp"
