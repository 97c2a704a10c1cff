// Runs all scenarios of a plan, several side by side, in one loop of one thread.
#pragma once

#include "torture/cli/scenario_run.hpp"

namespace torture {

/// First the canaries, then every scenario in the part of the machine that the plan gives it, those of one
/// part one after the other; each with its verdict and its lines in the log. Returns early after a stop
/// signal, when all that ran has ended.
void run_all(RunContext& context);

}  // namespace torture
