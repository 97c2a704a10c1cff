// What has the archive's code in the plugin; its host calls the library itself.
#include <srcu/srcu.h>

int use(void);
int use(void) {
  rcu_read_lock_trace();
  rcu_read_unlock_trace();
  return srcu_start_helper();
}
