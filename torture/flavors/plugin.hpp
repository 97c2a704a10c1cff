// Schemes that come as shared objects.
#pragma once

#include <string>

#include "torture/ops.hpp"

namespace torture {

/// Loads the shared object at `path` (a path, never searched for) and returns the table it exports. It stays
/// loaded until the program ends, since its threads and thread-local destructors may outlive every domain.
/// Runs the object's constructors, so call it before threads are started. Throws UsageError when there is no
/// such object, it does not load, exports no `srcutorture_ops`, or the table cannot be used (see refusal()).
const Ops& load_plugin(const std::string& path);

}  // namespace torture
