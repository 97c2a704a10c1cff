// Scenario NMI-STEP: all cases of nmi_step.hpp in turn, in a supervised child.
#pragma once

#include <vector>

#include "torture/kernel/nmi_step.hpp"
#include "torture/threads/session.hpp"

namespace torture {

/// Whether this is such a scenario, instead of a torture. UsageError for a session that is neither.
bool steps_nmis(const Params& params);

/// What such a scenario tries. UsageError for strategies that are unknown, or claim nothing.
std::vector<NmiCase> stepped_cases(const Params& params);

/// As run_session(), for scenarios with session = nmi-step. First a strategy that makes no claim must be
/// caught, or the run is broken. Takes as long as all cases take, some minutes, whatever duration was
/// asked for: what is exhaustive is not cut short.
void run_nmi_session(const SessionPlan& plan);

}  // namespace torture
