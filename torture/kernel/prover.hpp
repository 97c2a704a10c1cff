// The prover's reports as faults of the model.
#pragma once

namespace torture::kernel {

/// Starts it. Without `reports` it only keeps what each thread holds, for the search for deadlocks.
void start_prover(bool reports);

}  // namespace torture::kernel
