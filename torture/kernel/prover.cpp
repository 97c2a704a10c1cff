#include "torture/kernel/prover.hpp"

#include <cstdio>
#include <cstring>

#include "srcu/lockdep.h"
#include "torture/kernel/fault.hpp"

namespace torture::kernel {
namespace {

// The check that fails when what the prover foresees comes about.
const char* check_of(const srcu_lockdep_report& report) {
  if (strcmp(report.check, "wait_context") == 0) return "wait_context";
  if (strcmp(report.check, "lock_recursion") == 0 || strcmp(report.check, "nmi") == 0) return "self_deadlock";
  return "lock_cycle";
}

void note(const srcu_lockdep_report* report, void*) {
  char text[sizeof(Fault::text)];
  srcu_lockdep_format(report, text, sizeof text);
  char headline[sizeof(Fault::headline)];
  const char* const held = report->held.lock_class ? report->held.lock_class->name : "nothing";
  snprintf(headline, sizeof headline, "%s: %s, holding %s", report->headline, report->taken.lock_class->name, held);
  note_fault(check_of(*report), headline, text, false);
}

void ignore(const srcu_lockdep_report*, void*) {}

}  // namespace

void start_prover(bool reports) {
  srcu_lockdep_set_hook(reports ? note : ignore, nullptr);
  srcu_lockdep_start();
}

}  // namespace torture::kernel
