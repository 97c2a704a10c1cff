// liburcu's qsbr flavour.
#include <urcu/urcu-qsbr.h>

#define URCU(name) urcu_qsbr_##name
#define URCU_TABLE urcu_qsbr
#define URCU_NAME "urcu-qsbr"
#define URCU_SIGNAL_FACT 0  // a reader is whoever did not say otherwise: a handler cannot
#define URCU_QUIESCENT
#include "torture/flavors/urcu_body.hpp"
