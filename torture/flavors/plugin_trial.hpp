// A plugin is strangers' code from the moment it is loaded: it is tried where it can end nothing but itself.
#pragma once

#include <filesystem>
#include <string>

namespace torture {

/// Loads the file in a child process. Empty if that goes well; else why it does not, and what to do. A cut file ends a
/// process that maps it, a constructor may do anything; one that leaves a thread running would keep this program from
/// forking what it tortures.
std::string trouble_loading(const std::filesystem::path& file);

}  // namespace torture
