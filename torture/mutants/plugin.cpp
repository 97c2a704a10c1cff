// This project's SRCU as a plugin: how scripts/mutants.py offers a broken copy of it to the torture. MUTANT_TABLE names
// the table to export.
#include "torture/flavors/table.hpp"

namespace {

torture::Ops renamed(torture::Ops ops) {
  ops.name = "mutant";
  return ops;
}

}  // namespace

extern "C" {
SRCUTORTURE_EXPORT const torture::Ops srcutorture_ops = renamed(torture::MUTANT_TABLE);
}
