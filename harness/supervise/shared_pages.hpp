#pragma once

#include <cstddef>

namespace harness {

/// Zeroed memory that stays shared across fork. Broken if the kernel refuses; `what` names its use in the
/// message.
void* map_shared(size_t bytes, const char* what);

/// Gives it back; in the calling process only.
void unmap_shared(void* memory, size_t bytes);

}  // namespace harness
