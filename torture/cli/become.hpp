// Programs beside this one, which do what this one cannot.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace torture {

/// Where this program is. Broken where nothing tells, rather than a guess: what stands elsewhere under a known name may be anybody's.
std::filesystem::path this_program();

/// Goes on as the program at `path`, whose argv is `words`. Returns only if it does not run: errno.
int become(const std::filesystem::path& path, std::vector<std::string> words);

}  // namespace torture
