#include <fmt/format.h>

#include <cstring>

#include "harness/base/errors.hpp"
#include "torture/cli/become.hpp"
#include "torture/cli/commands.hpp"

namespace torture {

int engine_command(const std::string& what, const EngineOptions& options) {
  const std::filesystem::path binary = options.binary ? *options.binary : this_program().parent_path() / "srcutorture-engine";
  std::vector<std::string> words{binary.string(), what};
  words.insert(words.end(), options.words.begin(), options.words.end());
  const int error = become(binary, std::move(words));
  throw harness::UsageError(fmt::format("{} cannot be run: {} (--binary names another)", binary.string(), std::strerror(error)));
}

}  // namespace torture
