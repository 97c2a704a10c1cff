#pragma once
// The two ways in which the program itself, not the thing under test, gives up.

#include <stdexcept>

namespace harness {

/// The caller asked for something that does not exist or makes no sense: exit status 2, nothing was created.
/// The message is one line that names the cure.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The harness could not do its job (disk full, pinning refused): exit status 3. One line that names the
/// cure.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace harness
