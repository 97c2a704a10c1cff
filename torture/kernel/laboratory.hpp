// The kernel model in a torture: the domain is hosted by it, the prover watches, and callers who hold locks post.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "torture/threads/company.hpp"
#include "torture/threads/params.hpp"

namespace torture {

/// UsageError for wrong words in these two parameters.
void check_locked_contexts(const Params& params);
void check_srcu_locks(const Params& params);

/// What makes it in the tortured process; empty if these parameters ask for none of it. `takes_strategy`: the scheme is
/// this project's SRCU. UsageError for parameters that make no sense together.
std::function<std::unique_ptr<Company>()> laboratory(const Params& params, bool takes_strategy,
                                                     const std::vector<unsigned>& pus);

}  // namespace torture
