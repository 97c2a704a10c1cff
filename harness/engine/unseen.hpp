// Shared libraries that are linked as they are: what they do to memory that threads share is no step, and no race.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace engine {

/// Library to what the program uses of it: all but what a compiler links by itself, and fmt, which the engine prints with.
std::map<std::string, std::vector<std::string>> unseen_libraries();

}  // namespace engine
