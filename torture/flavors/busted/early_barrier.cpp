// barrier() returns at once.
#include "torture/flavors/table.hpp"

namespace torture {
namespace {

Ops broken() {
  Ops ops = urcu_mb;
  ops.name = "busted_early_barrier";
  ops.barrier = [](void*, void*) {};
  return ops;
}

}  // namespace

const Ops busted_early_barrier = broken();

}  // namespace torture
