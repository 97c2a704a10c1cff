// A short name under which the same failure is found again.
#pragma once

#include <filesystem>
#include <string>

namespace torture {

/// The check and the innermost frames of this project, or of the scheme, in stacks.txt:
/// "stalled_gp:urcu_wait". A hang's are those of the thread that `message` names. For a crash the signal
/// takes the frames' place when none is known: "crash:SIGKILL".
std::string signature(const std::string& check, const std::string& message, const std::string& signal,
                      const std::filesystem::path& scenario_dir);

}  // namespace torture
