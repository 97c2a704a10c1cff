// call() invokes the callback at once, without a grace period.
#include "torture/flavors/table.hpp"

namespace torture {
namespace {

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_early_callback";
  ops.facts |= SRCUTORTURE_CALLBACKS_INLINE;
  ops.call = [](void*, void*, srcutorture_head* head, srcutorture_cb callback) { callback(head); };
  ops.barrier = [](void*, void*) {};
  return ops;
}

}  // namespace

const Ops busted_early_callback = broken();

}  // namespace torture
