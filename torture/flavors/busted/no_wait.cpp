// synchronize() waits for nobody.
#include "torture/flavors/table.hpp"

namespace torture {
namespace {

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_no_wait";
  ops.facts &= ~static_cast<uint64_t>(SRCUTORTURE_CALL_UNDER_LOCK | SRCUTORTURE_CALL_IN_READER);
  ops.call = nullptr;  // the callbacks of the sound twin would dilute it
  ops.barrier = nullptr;
  ops.synchronize = [](void*, void*) {};
  return ops;
}

}  // namespace

const Ops busted_no_wait = broken();

}  // namespace torture
