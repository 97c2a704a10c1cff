// Stacks as debuggers, sanitizers and the supervisor write them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace torture {

struct Frame {
  std::string function;  ///< Without arguments.
  bool ours;  ///< Of the project or the scheme, not of a language's or a sanitizer's runtime, libc or the
              ///< kernel.
};
using Stack = std::vector<Frame>;

/// The frame in a line "#3  0x00007f in name (args) at file:1" or "#3 name file:1", if it holds one. A frame
/// without a name has "?" and is not ours.
std::optional<Frame> frame_in(const std::string& line);

/// Up to three innermost frames of our own, innermost first.
std::vector<std::string> innermost(const Stack& stack);

/// "check:inner<outer", or the check alone where no frame is known.
std::string signature_of(const std::string& check, const std::vector<std::string>& frames);

}  // namespace torture
