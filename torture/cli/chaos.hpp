// What `run --chaos` needs: the program that has the runtime, and code under test that is compiled for it.
#pragma once

#include <string>

#include "torture/cli/plan.hpp"

namespace torture {

/// Where it is asked for, becomes the program beside this one that has it; returns if this one has, or nobody asked. UsageError
/// if there is none. `extra`: see make_plan().
void go_where_chaos_is(const RunOptions& options, const Ops* extra);

/// Loads the plugin that the options name. UsageError also if chaos is asked for and it was not compiled for that.
const Ops& load_for(const RunOptions& options);

/// Why there can be no chaos in this scenario, though it is asked for; else empty.
std::string why_no_chaos(const PlannedScenario& planned);

/// A set may have scenarios that it leaves out; not all of them: UsageError.
void refuse_chaos_for_nobody(const Plan& plan);

}  // namespace torture
