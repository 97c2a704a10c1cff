// For comparing what a guard compiles to with the plain calls.
#include <srcu/srcu.hpp>

extern "C" {

int plain(srcu_struct* domain, const int* value) {
  const int idx = srcu_read_lock(domain);
  const int found = *value;
  srcu_read_unlock(domain, idx);
  return found;
}
int guarded(srcu::domain& domain, const int* value) {
  const srcu::read_guard reading(domain);
  return *value;
}

int plain_fast(srcu_struct* domain, const int* value) {
  srcu_ctr* const scp = srcu_read_lock_fast(domain);
  const int found = *value;
  srcu_read_unlock_fast(domain, scp);
  return found;
}
int guarded_fast(srcu::fast_domain& domain, const int* value) {
  const srcu::read_guard reading(domain);
  return *value;
}

}
