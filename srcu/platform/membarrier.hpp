// Whether light fences can be made full ones from outside.
#pragma once

namespace srcu {

/// Whether env::membarrier() may be used. The first call asks the kernel; the answer stays. Any context.
bool membarrier_works();

/// In a forked child: registers anew. Dies if the kernel does not let us any more: readers without fences exist.
void membarrier_again();

}  // namespace srcu
