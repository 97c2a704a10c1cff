// A callback that does not come: is it lost, or late?
#pragma once

#include <string>

#include "srcu/core/usage.hpp"

namespace torture {

/// The check that it fails. The domain, once the post has returned, or null: lost if nobody waits there for a grace period
/// or a callback, otherwise the grace period is stalled.
std::string check_of_stall(const srcu::Usage* posted_to);

}  // namespace torture
